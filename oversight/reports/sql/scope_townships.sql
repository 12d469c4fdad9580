-- A row is a township-level unit of the report's division.
-- Must hold: `$level` is county, city or province, `$code` its six digits.
select *
from townships
where case $level when 'county' then county_code when 'city' then city_code else province_code end = $code
