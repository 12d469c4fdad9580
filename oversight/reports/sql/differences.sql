-- A row is a figure of the year up to the month that two sources tell differently.
-- Must hold: the latest month first; within it the figures of most money.
with places as (
    select township_code, min(county_name) as county_name
    from (
        select township_code, county_name from r_townships
        union all
        select distinct county_code as township_code, county_name from r_townships
    ) as either
    group by township_code
),

funds as (
    select fund_code, min(fund_name) as fund_name from fund_ledger_monthly group by fund_code
),

final as (
    select r.*, t.county_name, f.fund_name
    from reconciliation as r
    inner join places as t on r.township_code = t.township_code
    left join funds as f on r.fund_code = f.fund_code
    where r.month between date_trunc('year', $month) and $month
)

select *
from final
order by
    month desc, case when figure like '%_cny' then 0 else 1 end asc, abs(difference) desc, township_code asc,
    dataset asc, figure asc, source_a asc, source_b asc
