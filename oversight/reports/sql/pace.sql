-- A row is a township with a pace of payment: the pace as published, and for how many months payments have been short.
-- Must hold: months of the year up to the report's only.
with last_good as (
    select township_code, max(month) as month
    from r_funding
    where year(month) = year($month) and coalesce(disbursement_shortfall_ytd_cny, 0) = 0
    group by township_code
),

final as (
    select
        p.township_code, p.pace, p.progress_pct, p.calendar_pct, p.silent_months_count as unpaid_months,
        count(f.month) as months_behind
    from detail.payment_pace as p
    inner join r_townships as t on p.township_code = t.township_code
    left join last_good as g on p.township_code = g.township_code
    left join r_funding as f
        on
            p.township_code = f.township_code
            and year(f.month) = year($month)
            and f.month > coalesce(g.month, date '1900-01-01')
    where p.month = $month and p.pace is not null
    group by p.township_code, p.pace, p.progress_pct, p.calendar_pct, p.silent_months_count
)

select * from final
