-- A row is a month of the report's division up to the report's, as the roll-up has it.
-- Must hold: nothing is added here.
select *
from detail.unit_monthly
where unit_level = $level and unit_code = $code and month <= $month
order by month
