-- A row is whoever answers for something inside the scope: townships, villages, counties, and what is above up to it.
-- Must hold: nobody above the division that the report is about.
select township_code as subject_code, township_name as subject_name, county_name, unit_id
from r_townships
union all
select distinct county_code as subject_code, county_name as subject_name, county_name, county_code as unit_id
from r_townships
where county_code <> township_code
union all
select distinct city_code as subject_code, city_name as subject_name, '' as county_name, city_code as unit_id
from r_townships
where $level in ('city', 'province')
union all
select distinct
    province_code as subject_code, province_name as subject_name, '' as county_name, province_code as unit_id
from r_townships
where $level = 'province'
union all
select distinct
    d.division_code as subject_code, d.division_name as subject_name, t.township_name as county_name,
    d.division_code as unit_id
from reported.divisions as d
inner join r_townships as t on substr(d.division_code, 1, 9) = t.township_code
where d.is_current and length(d.division_code) = 12
