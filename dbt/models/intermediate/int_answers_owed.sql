-- A row is an answer owed: rule × subject × period, found without looking at any report.
-- Must hold: a rule that nobody reports on is owed by everybody; where no such subject is known, the county owes.
{{ config(materialized='view') }}

with asked as (
    select
        r.standard_id, r.formula, r.judged_by, r.subject_level, r.subject_code, r.subject_unit, r.county_code,
        p.period, p.month, p.last_day, p.end_index
    from {{ ref('int_subject_rules') }} as r
    inner join {{ ref('int_periods') }} as p
        on
            r.period = p.period
            and r.effective_from <= p.last_day
            and (r.effective_to is null or r.effective_to >= p.last_day)
            and (r.replaced_on is null or r.replaced_on > p.last_day)
            and (r.valid_from is null or r.valid_from <= p.last_day)
            and (r.unit_end is null or r.unit_end > p.last_day)
),

-- Villages, communities and institutions that no register lists cannot be asked: the county is.
counties as (
    select
        s.standard_id, s.formula, s.period, s.effective_from, s.effective_to, c.subject_code,
        case when r.standard_id is not null then 'general' else 'own' end as judged_by
    from {{ ref('stg_standards') }} as s
    left join {{ ref('int_rules') }} as r on s.standard_id = r.standard_id
    inner join {{ ref('int_subjects') }} as c
        on
            c.subject_level = 'county'
            and substr(c.subject_code, 1, cast(length({{ scope_prefix('s.scope_code') }}) as int))
            = {{ scope_prefix('s.scope_code') }}
    where
        s.gradeable <> 'N'
        and s.formula <> 'village_coverage'
        and s.subject_level not like '%township%'
        and s.subject_level not like '%county%'
        and s.subject_level not like '%city%'
        and s.subject_level not like '%province%'
),

-- Asked of the register again and not of `asked`, which would then be kept in memory for the whole country.
known as (
    select r.standard_id, r.county_code, p.month
    from {{ ref('int_subject_rules') }} as r
    inner join {{ ref('int_periods') }} as p
        on
            r.period = p.period
            and (r.valid_from is null or r.valid_from <= p.last_day)
            and (r.unit_end is null or r.unit_end > p.last_day)
    where r.subject_level in ('village', 'community', 'institution')
    group by r.standard_id, r.county_code, p.month
),

unlisted as (
    select
        c.standard_id, c.formula, c.judged_by,
        'county' as subject_level, c.subject_code, c.subject_code as subject_unit,
        c.subject_code as county_code, p.period, p.month, p.last_day, p.end_index
    from counties as c
    inner join {{ ref('int_periods') }} as p
        on
            c.period = p.period
            and c.effective_from <= p.last_day
            and (c.effective_to is null or c.effective_to >= p.last_day)
    left join known as k
        on
            c.standard_id = k.standard_id
            and c.subject_code = k.county_code
            and p.month = k.month
    where k.standard_id is null
),

final as (
    select
        standard_id, formula, judged_by, subject_level, subject_code, subject_unit, county_code,
        period, month, last_day, end_index, false as is_unlisted
    from asked
    union all
    select
        standard_id, formula, judged_by, subject_level, subject_code, subject_unit, county_code,
        period, month, last_day, end_index, true as is_unlisted
    from unlisted
)

select * from final
