-- A row is a township-level unit: what it lies in, what it is now if it ended, and every name it ever had.
-- Must hold: one row a code.
with names as (
    select division_code, list(distinct division_name) as former_names
    from reported.divisions
    group by division_code
)

select
    t.township_code, t.township_name,
    concat(t.province_name, t.city_name, t.county_name) as inside,
    t.valid_to is not null as is_former,
    n.township_name as now_name,
    d.former_names
from townships as t
left join townships as n on t.successor_code = n.township_code
left join names as d on t.township_code = d.division_code
