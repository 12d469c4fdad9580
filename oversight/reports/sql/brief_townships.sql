-- A row is a township of the scope in the month: its own money and people.
-- Must hold: one row a township in force.
select f.*, f.township_name as name, t.disbursed_pct, t.staff_status, t.staff_shortfall_persons
from r_funding as f
left join detail.township_monthly as t on f.township_code = t.township_code and f.month = t.month
where f.month = $month
order by f.township_code
