-- A row is an answer owed: rule × subject × period, with its status.
-- Must hold: exactly one row for each answer owed.
-- Written a fiscal year at a time, those that are made anew: sorting all years at once would not fit in memory for the whole
-- country. Spark shares the table out among its workers itself (docs/decisions/0065).
{{ config(
    materialized='incremental', on_schema_change='fail',
    incremental_strategy='microbatch' if target.type == 'duckdb' else none,
    event_time='month', batch_size='year', begin='2000-01-01'
) }}
with final as (
    select
        cast(j.rule_id as string) as rule_id,
        cast(j.subject_level as string) as subject_level,
        cast(j.subject_code as string) as subject_code,
        cast(j.month as date) as month,
        cast(j.status as string) as status,
        cast(j.value_checked as decimal(18, 4)) as value_checked,
        cast(j.value_expected as decimal(18, 4)) as value_expected,
        cast(j.shortfall as decimal(18, 4)) as shortfall,
        cast(j.unit as string) as unit,
        cast(j.reason as string) as reason,
        cast(j.is_binding as boolean) as is_binding,
        cast(j.subject_unit as string) as subject_unit,
        cast(j.numerator as decimal(18, 4)) as numerator,
        cast(j.denominator as decimal(18, 4)) as denominator,
        cast(j.tier_label as string) as tier_label
    from {{ ref('int_judgements') }} as j
)

select * from final
order by subject_code, month, rule_id, subject_level
