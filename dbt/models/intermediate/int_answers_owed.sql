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
    where r.formula not in ('per_capita_by_tier', 'per_capita_marginal', 'flat_by_tier', 'paid_in_full')
),

-- A guarantee is owed from when it is known that it counts for the year; its payment when the year or the unit ends.
money as (
    select standard_id, township_code, unit_id, county_code, month
    from {{ ref('int_funding_by_standard') }}
    union all
    select a.rule_id as standard_id, a.township_code, a.unit_id, substr(a.township_code, 1, 6) as county_code, a.month
    from {{ ref('int_payment_answers') }} as a
),

-- Villages, communities and institutions that no register lists cannot be asked: the county is.
counties as (
    select
        s.standard_id, s.formula, s.period, s.effective_from, s.effective_to, c.subject_code,
        c.subject_unit, c.valid_from, c.unit_end,
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
        'county' as subject_level, c.subject_code, c.subject_unit,
        c.subject_code as county_code, p.period, p.month, p.last_day, p.end_index
    from counties as c
    inner join {{ ref('int_periods') }} as p
        on
            c.period = p.period
            and c.effective_from <= p.last_day
            and (c.effective_to is null or c.effective_to >= p.last_day)
            and (c.valid_from is null or c.valid_from <= p.last_day)
            and (c.unit_end is null or c.unit_end > p.last_day)
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
    union all
    select
        m.standard_id, s.formula, 'own' as judged_by, 'township' as subject_level,
        m.township_code as subject_code, m.unit_id as subject_unit, m.county_code,
        s.period, m.month, p.last_day, p.end_index, false as is_unlisted
    from money as m
    inner join {{ ref('stg_standards') }} as s on m.standard_id = s.standard_id
    inner join {{ ref('int_periods') }} as p on p.period = 'month' and m.month = p.month
)

select * from final
