-- A row is a township of the scope × month up to that of the report: its money.
-- Must hold: one row a township and month in force.
select f.*, t.unit_id, t.is_township, t.city_code, t.city_name
from funding_gap_monthly as f
inner join r_townships as t on f.township_code = t.township_code
where f.month <= $month
