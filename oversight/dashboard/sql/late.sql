-- A row is a township whose payments of the year lie behind the calendar in a month, and for how many months they have.
-- Must hold: December is left out, in which the rule of payment itself answers.
with good as (
    select a.township_code, a.month, max(b.month) as last_good
    from e.funding_gap_monthly as a
    inner join e.funding_gap_monthly as b
        on a.township_code = b.township_code
        and a.fiscal_year = b.fiscal_year
        and b.month < a.month
        and b.disbursement_shortfall_ytd_cny = 0
    group by a.township_code, a.month
),

final as (
    select
        f.township_code as subject_code, f.township_name as subject_name, f.county_name, f.month,
        f.disbursed_ytd_cny as value_checked,
        f.guaranteed_ytd_cny as value_expected,
        f.disbursement_shortfall_ytd_cny as shortfall,
        p.pace,
        datediff('month', coalesce(g.last_good, date_trunc('year', f.month) - interval 1 month), f.month) as months_open
    from e.funding_gap_monthly as f
    inner join e.detail.payment_pace as p on f.township_code = p.township_code and f.month = p.month
    left join good as g on f.township_code = g.township_code and f.month = g.month
    where p.pace in ('behind', 'far_behind')
        and f.disbursement_shortfall_ytd_cny > 0
        and date_part('month', f.month) < 12
)

select * from final
