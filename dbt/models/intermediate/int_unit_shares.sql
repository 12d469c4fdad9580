-- A row is how many of a subject's units have what a rule asks of each: subject × month × rule.
-- Must hold: the denominator is the register, never only those that reported; whether it lists everybody stands beside.
{{ config(
    alias='unit_shares',
    database=target.get('database'), schema='detail',
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
            when v.value is null or {{ is_surely_less('v.value', 'v.above', 'r.threshold') }} then 0
            else 1
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
            and r.part_no = v.part_no
            and o.end_index = v.end_index
    where {{ anew('o.month') }}
),

-- Villages and communities are listed as far as the register goes. It goes far enough to say something of a parent
-- where each of its townships has some, and no fewer than it reports to have.
listing as (
    select o.standard_id, o.subject_level, o.subject_code, o.month, o.last_day
    from {{ ref('int_answers_owed') }} as o
    inner join rules as r on o.standard_id = r.standard_id
    where r.unit_level in ('village', 'community') and {{ anew('o.month') }}
    group by o.standard_id, o.subject_level, o.subject_code, o.month, o.last_day
),

townships_listed as (
    select
        l.standard_id, l.subject_level, l.subject_code, l.month, t.township_code,
        cast(count(v.subject_code) as bigint) as listed_count,
        max(s.villages_count) as told_count
    from listing as l
    inner join {{ ref('int_township_months') }} as t
        on
            l.month = t.month
            and t.is_township
            and substr(t.township_code, 1, cast(length({{ scope_prefix('l.subject_code') }}) as int))
            = {{ scope_prefix('l.subject_code') }}
    left join {{ ref('int_subjects') }} as v
        on
            v.subject_level in ('village', 'community')
            and substr(v.subject_code, 1, 9) = t.township_code
            and (v.valid_from is null or v.valid_from <= l.last_day)
            and (v.unit_end is null or v.unit_end > l.last_day)
    left join {{ ref('reported_staffing') }} as s
        on t.township_code = s.township_code and t.month = s.month and s.is_current
    group by l.standard_id, l.subject_level, l.subject_code, l.month, t.township_code
),

rosters as (
    select
        standard_id, subject_level, subject_code, month,
        min(case when listed_count = 0 or told_count > listed_count then 0 else 1 end) as is_complete
    from townships_listed
    group by standard_id, subject_level, subject_code, month
),

final as (
    select
        u.standard_id, u.subject_level, u.subject_code, u.month,
        cast(count(*) as decimal(18, 4)) as units_count,
        cast(sum(u.has_it) as decimal(18, 4)) as having_count,
        cast(sum(u.is_silent) as decimal(18, 4)) as silent_count,
        cast(coalesce(max(r.is_complete), 1) = 1 as boolean) as roster_is_complete
    from units as u
    left join rosters as r
        on
            u.standard_id = r.standard_id
            and u.subject_level = r.subject_level
            and u.subject_code = r.subject_code
            and u.month = r.month
    group by u.standard_id, u.subject_level, u.subject_code, u.month
)

select * from final
order by month, standard_id, subject_level, subject_code
