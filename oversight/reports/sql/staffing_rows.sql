-- A row is a township × standard on people that asks something of it.
-- Must hold: one row a township and standard.
select *
from r_staffing
where status in ('met', 'short', 'over', 'not_reported', 'unconfirmed')
order by standard_id, county_code, township_code
