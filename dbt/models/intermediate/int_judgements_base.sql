-- A row is an answer owed under a rule that is judged by itself: rule × subject × period.
-- Must hold: composites of other rules are not here; they are made from these rows.
{{ config(materialized='view') }}
{% set columns
    = 'rule_id, subject_level, subject_code, subject_unit, month, status, value_checked, value_expected, shortfall'
%}
{% set no_operands
    = 'cast(null as decimal(18, 4)) as numerator, cast(null as decimal(18, 4)) as denominator, cast(null as string) as tier_label'
%}
with funding as (
    select
        standard_id as rule_id, 'township' as subject_level, township_code as subject_code,
        unit_id as subject_unit, month,
        allocation_status as status,
        cast(allocated_annual_cny as decimal(18, 4)) as value_checked,
        cast(guaranteed_annual_cny as decimal(18, 4)) as value_expected,
        cast(allocation_shortfall_cny as decimal(18, 4)) as shortfall,
        allocation_reason as reason
    from {{ ref('int_funding_answers') }}
),

payments as (
    select
        rule_id, 'township' as subject_level, township_code as subject_code, unit_id as subject_unit, month,
        payment_status as status,
        cast(disbursed_ytd_cny as decimal(18, 4)) as value_checked,
        cast(guaranteed_ytd_cny as decimal(18, 4)) as value_expected,
        cast(payment_shortfall_cny as decimal(18, 4)) as shortfall,
        payment_reason as reason
    from {{ ref('int_payment_answers') }}
),

staffing as (
    select
        s.standard_id as rule_id, 'township' as subject_level, s.township_code as subject_code,
        l.unit_id as subject_unit, s.month,
        s.status,
        cast(s.counted_persons as decimal(18, 4)) as value_checked,
        cast(s.required_min_persons as decimal(18, 4)) as value_expected,
        cast(s.shortfall_persons as decimal(18, 4)) as shortfall,
        case
            when
                s.status <> 'not_reported' and (
                    (s.counted_persons < s.required_min_persons and s.shortfall_persons = 0)
                    or (s.counted_persons > s.advised_max_persons and s.excess_persons = 0)
                )
                then 'within_precision'
        end as reason
    from {{ ref('staffing_gap_monthly') }} as s
    inner join {{ ref('int_unit_lineage') }} as l on s.township_code = l.township_code
),

final as (
    select {{ columns }}, reason, {{ no_operands }} from funding
    union all
    select {{ columns }}, reason, {{ no_operands }} from payments
    union all
    select {{ columns }}, reason, {{ no_operands }} from staffing
    union all
    select {{ columns }}, cast(null as string) as reason, {{ no_operands }} from {{ ref('int_judgements_villages') }}
    union all
    select {{ columns }}, cast(null as string) as reason, {{ no_operands }} from {{ ref('int_judgements_counties') }}
    union all
    select {{ columns }}, reason, numerator, denominator, tier_label from {{ ref('int_judgements_general') }}
    union all
    select {{ columns }}, reason, {{ no_operands }} from {{ ref('int_judgements_carried') }}
)

select * from final
