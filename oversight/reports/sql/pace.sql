-- A row is a township with a pace of payment: the pace as published, and for how many months payments have been short.
-- Must hold: months of the year up to the report's only.
with final as (
    select
        p.township_code, p.pace, p.progress_pct, p.calendar_pct, p.silent_months_count as unpaid_months,
        coalesce(p.behind_months_count, 0) as months_behind
    from detail.payment_pace as p
    inner join r_townships as t on p.township_code = t.township_code
    where p.month = $month and p.pace is not null
)

select * from final
