-- A row is a township of the scope × fund as it stands in the month.
-- Must hold: the working funds last, since the report speaks of them at length elsewhere.
select l.*, t.county_name
from fund_ledger_monthly as l
inner join r_townships as t on l.township_code = t.township_code
where l.month = $month
order by
    case when l.fund_code = 'working_funds' then 1 else 0 end, l.fund_code, t.county_code, l.township_code
