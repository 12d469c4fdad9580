-- A row is an answer owed: rule × subject × period, whatever the answer.
-- Must hold: only `must` and `principle` can be short; a basis unconfirmed for too long leaves the answer unconfirmed.
{{ config(materialized='view', event_time='month') }}
with answers as (
    select
        rule_id, subject_level, subject_code, subject_unit, month,
        status, value_checked, value_expected, shortfall, reason, numerator, denominator, tier_label
    from {{ ref('int_judgements_base') }}
    union all
    select
        rule_id, subject_level, subject_code, subject_unit, month,
        status, value_checked, value_expected, shortfall, reason,
        cast(null as decimal(18, 4)) as numerator, cast(null as decimal(18, 4)) as denominator,
        cast(null as string) as tier_label
    from {{ ref('int_judgements_composite') }}
),

standards as (
    select
        standard_id, deadline, unit,
        strength in ('must', 'principle') as is_binding,
        {{ confirmed_until() }} as confirmed_until
    from {{ ref('stg_standards') }}
),

final as (
    select
        a.rule_id, a.subject_level, a.subject_code, a.subject_unit, a.month,
        case
            -- Until the day a rule sets, nothing is missed; what is there already counts.
            when s.deadline > p.last_day and a.status <> 'met' then 'not_applicable'
            when not s.is_binding and a.status in ('short', 'over') then 'not_applicable'
            when a.status = 'short' and s.confirmed_until < p.last_day then 'unconfirmed'
            else a.status
        end as status,
        a.value_checked, a.value_expected, a.shortfall,
        case
            when s.deadline > p.last_day and a.status <> 'met' then 'before_deadline'
            when not s.is_binding and a.status in ('short', 'over') then 'target_only'
            when a.status = 'short' and s.confirmed_until < p.last_day then 'stale_basis'
            else a.reason
        end as reason,
        s.is_binding, s.unit, a.numerator, a.denominator, a.tier_label
    from answers as a
    inner join standards as s on a.rule_id = s.standard_id
    inner join {{ ref('int_months') }} as p on a.month = p.month
    where {{ anew('a.month') }}
)

select * from final
