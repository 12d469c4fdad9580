-- A row is an answer owed under a rule that asks for one figure, which stands until the next report or until it expires.
-- Must hold: one row for each answer owed; a figure is judged once a report, and only its answer is told month by month.
{{ config(materialized='view') }}

with rules as (
    select
        r.standard_id, r.formula, r.most_value, r.valid_months, m.fact_code as measure_code, m.pattern,
        case when r.formula in ('boolean', 'name_pattern') then 1 else r.least_value end as expected,
        coalesce(m.years_back, 0) * 12 as months_back
    from {{ ref('int_rules') }} as r
    inner join {{ ref('int_rule_measures') }} as m on r.standard_id = m.standard_id
    where r.is_carried
),

months as (
    select month, last_day, end_index
    from {{ ref('int_periods') }}
    where period = 'month'
),

bounds as (
    select min(end_index) as first_index, max(end_index) + 1 as past_index
    from months
),

-- A unit that was renamed may still be called by the name it had.
names as (
    select
        n.subject_unit,
        min({{ stem_of('n.subject_name') }}) as one_stem,
        max({{ stem_of('n.subject_name') }}) as other_stem
    from {{ ref('int_subjects') }} as n
    where exists (select 1 from rules as r where r.pattern is not null)
    group by n.subject_unit
),

limits as (
    {{ minor_amounts() }}
),

figures as (
    select
        r.standard_id, r.formula, r.expected, r.most_value, r.valid_months, f.subject_unit, f.is_first,
        f.month_index + r.months_back as from_index,
        f.next_index + r.months_back as until_index,
        case
            when r.pattern is null then f.value
            when {{ fits_a_form('f.value_text', 'r.pattern', 'n.one_stem') }} then 1
            when {{ fits_a_form('f.value_text', 'r.pattern', 'n.other_stem') }} then 1
            when f.value_text is not null then 0
        end as figure,
        f.below, f.above,
        case when r.measure_code like '%_cny' then f.above else 0 end as half
    from {{ ref('int_facts') }} as f
    inner join rules as r on f.measure_code = r.measure_code
    left join names as n on f.subject_unit = n.subject_unit and r.pattern is not null
),

judged as (
    select
        standard_id, formula, subject_unit, is_first, from_index, until_index, valid_months, expected, most_value,
        below, above,
        case when formula in ('boolean', 'name_pattern') and figure >= 1 then 1 else figure end as checked,
        -- Too coarse to say: what is asked lies within what may have been written so, and that is wider than is minor.
        half > 0
        and figure - below < expected and figure + above > expected
        and half > z.below_amount
        and cast(half as decimal(18, 4)) * cast(100 as decimal(3, 0))
        > cast(expected as decimal(18, 4)) * cast(z.below_pct as decimal(18, 4)) as is_too_coarse
    from figures
    cross join limits as z
),

-- From one report to the next; what comes before the first report is a spell that nothing was reported for.
spells as (
    select
        standard_id, subject_unit, from_index, until_index, valid_months,
        cast(checked as decimal(18, 4)) as value_checked,
        cast(case
            when is_too_coarse then null
            when {{ is_surely_less('checked', 'above', 'expected') }} then expected - checked
            when checked is not null and expected is not null then 0
        end as decimal(18, 4)) as shortfall,
        case
            when is_too_coarse then 'too_coarse'
            when checked < expected and not {{ is_surely_less('checked', 'above', 'expected') }}
                then 'within_precision'
        end as reason,
        case
            when checked is null or expected is null or is_too_coarse then 'not_reported'
            when {{ is_surely_less('checked', 'above', 'expected') }} then 'short'
            when formula = 'exact' and checked - below > expected then 'over'
            when formula = 'range' and checked - below > most_value then 'over'
            else 'met'
        end as status
    from judged
    union all
    select
        j.standard_id, j.subject_unit, b.first_index as from_index, j.from_index as until_index, 0 as valid_months,
        cast(null as decimal(18, 4)) as value_checked, cast(null as decimal(18, 4)) as shortfall,
        cast(null as string) as reason, 'not_reported' as status
    from judged as j
    cross join bounds as b
    where j.is_first and j.from_index > b.first_index
),

lengths as (
    select
        longest.end_index - b.first_index + 1 as months_count,
        m.end_index - b.first_index as step
    from months as longest
    inner join months as m on longest.end_index >= m.end_index
    cross join bounds as b
),

asked as (
    select
        r.standard_id, r.subject_level, r.subject_code, r.subject_unit,
        r.effective_from, r.effective_to, r.replaced_on, r.valid_from, r.unit_end,
        coalesce(s.from_index, b.first_index) as from_index,
        case when s.until_index < b.past_index then s.until_index else b.past_index end as until_index,
        s.valid_months, s.value_checked, s.shortfall, s.reason, s.status
    from {{ ref('int_subject_rules') }} as r
    cross join bounds as b
    left join spells as s on r.standard_id = s.standard_id and r.subject_unit = s.subject_unit
    where r.judged_by = 'carried'
),

final as (
    select
        a.standard_id as rule_id, a.subject_level, a.subject_code, a.subject_unit, m.month,
        case when l.step < a.valid_months then a.status else 'not_reported' end as status,
        case when l.step < a.valid_months then a.value_checked end as value_checked,
        cast(r.expected as decimal(18, 4)) as value_expected,
        case when l.step < a.valid_months then a.shortfall end as shortfall,
        case when l.step < a.valid_months then a.reason end as reason
    from asked as a
    inner join rules as r on a.standard_id = r.standard_id
    inner join lengths as l on a.until_index - a.from_index = l.months_count
    inner join months as m
        on
            a.from_index + l.step = m.end_index
            and a.effective_from <= m.last_day
            and (a.effective_to is null or a.effective_to >= m.last_day)
            and (a.replaced_on is null or a.replaced_on > m.last_day)
            and (a.valid_from is null or a.valid_from <= m.last_day)
            and (a.unit_end is null or a.unit_end > m.last_day)
)

select * from final
