-- A row is a township to be ranked × the month and the one before: its own money.
-- Must hold: one row a township and month.
select *, township_code as code, township_name as name, county_name as parent
from r_funding
where month in ($month, $before)
order by township_code
