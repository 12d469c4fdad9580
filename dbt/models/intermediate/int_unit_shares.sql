-- A row is how many of a subject's units have what a rule asks of each: subject × month × rule.
-- Must hold: the denominator is the register, never only those that reported.
{{ config(
    alias='unit_shares',
    database=target.database, schema='detail',
    materialized='incremental', on_schema_change='fail',
    pre_hook="{{ forget(anew('month')) }}"
) }}

with rules as (
    select
        r.standard_id, m.unit_level, coalesce(m.threshold, 1) as threshold, m.part_no
    from {{ ref('int_rules') }} as r
    inner join {{ ref('stg_standard_measures') }} as m on r.standard_id = m.standard_id and m.role = 'unit'
    where r.formula = 'coverage_of_units'
),

units as (
    select
        r.standard_id, o.subject_level, o.subject_code, o.month,
        case
            when v.value >= r.threshold then 1
            else 0
        end as has_it,
        case when v.value is null then 1 else 0 end as is_silent
    from {{ ref('int_answers_owed') }} as o
    inner join rules as r on o.standard_id = r.standard_id
    inner join {{ ref('int_subjects') }} as u
        on
            r.unit_level = u.subject_level
            and (u.valid_from is null or u.valid_from <= o.last_day)
            and (u.unit_end is null or u.unit_end > o.last_day)
            and substr(u.subject_code, 1, cast(length({{ scope_prefix('o.subject_code') }}) as int))
            = {{ scope_prefix('o.subject_code') }}
    left join {{ ref('int_measured') }} as v
        on
            r.standard_id = v.standard_id
            and v.role = 'unit'
            and u.subject_unit = v.subject_unit
            and o.end_index = v.end_index
    where {{ anew('o.month') }}
),

final as (
    select
        standard_id, subject_level, subject_code, month,
        cast(count(*) as decimal(18, 4)) as units_count,
        cast(sum(has_it) as decimal(18, 4)) as having_count,
        cast(sum(is_silent) as decimal(18, 4)) as silent_count
    from units
    group by standard_id, subject_level, subject_code, month
)

select * from final
order by month, standard_id, subject_level, subject_code
