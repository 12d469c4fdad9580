-- A row is a township × month with a guarantee: how far payment has come, and how far the year.
-- Must hold: within the year the pace is no violation; where the payments are not known to the month there is none.
-- A month in which it is not known whether payment is short ends the months behind: what nobody knows is held against nobody.
{{ config(
    alias='payment_pace',
    materialized='incremental', on_schema_change='fail',
    pre_hook="{{ forget(anew('month')) }}"
) }}
with limits as (
    select
        max(case when limit_name = 'behind_points' then value end) as behind_points,
        max(case when limit_name = 'far_behind_pct' then value end) as far_behind_pct,
        max(case when limit_name = 'silent_months' then value end) as silent_months
    from {{ ref('stg_payment_pace') }}
),

months as (
    select
        f.township_code, f.month, a.unit_id, a.fiscal_year, a.month_number,
        f.guaranteed_annual_cny, f.guaranteed_ytd_cny, f.disbursed_ytd_cny,
        f.disbursement_shortfall_ytd_cny,
        f.disbursement_shortfall_ytd_cny is not null as is_known,
        coalesce(f.disbursement_shortfall_ytd_cny, 0) > 0 as is_short,
        b.disbursed_is_complete
    from {{ ref('funding_gap_monthly') }} as f
    inner join {{ ref('int_township_months') }} as a on f.township_code = a.township_code and f.month = a.month
    inner join {{ ref('int_township_budget') }} as b on f.township_code = b.township_code and f.month = b.month
    where f.standard_id is not null and {{ anew('f.month') }}
),

-- Months in which nothing was paid, up to this one: since the last month with less paid to date.
moved as (
    select
        m.*,
        lag(m.disbursed_ytd_cny) over (
            partition by m.unit_id, m.fiscal_year order by m.month asc nulls first
        ) as before_cny
    from months as m
),

silent as (
    select
        m.*,
        m.month_number - coalesce(max(case
            when m.disbursed_ytd_cny > coalesce(m.before_cny, 0) then m.month_number
        end) over (
            partition by m.unit_id, m.fiscal_year order by m.month asc nulls first
            rows between unbounded preceding and current row
        ), min(m.month_number) over (partition by m.unit_id, m.fiscal_year) - 1) as silent_months_count,
        case when m.is_short then
            m.month_number - coalesce(max(case when not m.is_short then m.month_number end) over (
                partition by m.unit_id, m.fiscal_year order by m.month asc nulls first
                rows between unbounded preceding and current row
            ), min(m.month_number) over (partition by m.unit_id, m.fiscal_year) - 1)
        end as behind_months_count
    from moved as m
),

-- Percentages are shown rounded and compared exactly: both have the year's guarantee below them.
told as (
    select
        s.*,
        s.is_known and s.disbursed_is_complete and s.guaranteed_annual_cny > 0 as has_pace,
        cast(s.guaranteed_ytd_cny - s.disbursed_ytd_cny as decimal(18, 2)) * cast(100 as decimal(3, 0))
        > cast(s.guaranteed_annual_cny as decimal(18, 2)) * cast(l.behind_points as decimal(18, 4)) as is_behind,
        cast(s.disbursed_ytd_cny as decimal(18, 2)) * cast(100 as decimal(3, 0))
        < cast(s.guaranteed_ytd_cny as decimal(18, 2)) * cast(l.far_behind_pct as decimal(18, 4))
        or s.silent_months_count >= l.silent_months as is_far
    from silent as s
    cross join limits as l
),

final as (
    select
        cast(township_code as string) as township_code,
        cast(month as date) as month,
        cast(case
            -- More taken back than paid: quotients are of amounts without a sign.
            when has_pace and disbursed_ytd_cny < 0
                then -{{ share_pct('-disbursed_ytd_cny', 'guaranteed_annual_cny') }}
            when has_pace then {{ share_pct('disbursed_ytd_cny', 'guaranteed_annual_cny') }}
        end as decimal(18, 2)) as progress_pct,
        cast(case when has_pace then {{ share_pct('guaranteed_ytd_cny', 'guaranteed_annual_cny') }} end
            as decimal(18, 2)) as calendar_pct,
        cast(case when has_pace then silent_months_count end as bigint) as silent_months_count,
        cast(case
            when not has_pace then null
            when is_behind and is_far then 'far_behind'
            when is_behind then 'behind'
            else 'on_pace'
        end as string) as pace,
        cast(case when has_pace then behind_months_count end as bigint) as behind_months_count,
        cast(case when has_pace then disbursement_shortfall_ytd_cny end as decimal(18, 2)) as behind_cny
    from told
)

select * from final
order by extract(year from month), township_code, month
