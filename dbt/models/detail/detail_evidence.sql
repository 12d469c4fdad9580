-- A row is what a judgement rests on: the operands of its arithmetic, its tier and the edge, beside its answer.
-- Must hold: a view over what is stored anyway, nothing is written twice; it names tables without a database, since the
-- file is renamed when it is published.
-- depends_on: {{ ref('judgements') }}
-- depends_on: {{ ref('published_standards') }}
-- depends_on: {{ ref('published_standard_tiers') }}
-- depends_on: {{ ref('detail_standard_measures') }}
-- depends_on: {{ ref('int_unit_shares') }}
-- depends_on: {{ ref('staffing_gap_monthly') }}
-- depends_on: {{ ref('funding_gap_monthly') }}
{{ config(alias='evidence', materialized='view') }}

with rules as (
    select
        s.standard_id, s.formula, s.decimals,
        t.value as base,
        t.value_max as advised_max,
        t.lower_bound as included,
        m.per
    from main.standards as s
    left join main.standard_tiers as t on s.standard_id = t.standard_id and t.tier_no = 1
    left join (
        select standard_id, max(threshold) as per
        from detail.standard_measures
        where role = 'denominator'
        group by standard_id
    ) as m on s.standard_id = m.standard_id
),

-- A code that only a township has: a condition on the left side alone would have DuckDB 1.5 compare every row with every
-- row.
answers as (
    select *, case when subject_level = 'township' then subject_code end as township_code from main.judgements
),

final as (
    select
        j.rule_id, j.subject_level, j.subject_code, j.month, r.formula, j.status, j.reason, j.unit,
        j.value_checked, j.value_expected, j.shortfall, j.numerator, j.denominator,
        coalesce(r.per, 1) as per,
        r.base, r.included, r.advised_max, r.decimals,
        u.silent_count, u.roster_is_complete,
        coalesce(j.tier_label, p.tier_label, f.tier_label) as tier_label,
        coalesce(p.is_on_tier_edge, f.is_on_tier_edge, false) as is_on_tier_edge,
        f.other_tier_label,
        coalesce(p.population_persons, f.population_persons) as population_persons,
        coalesce(p.population_month, f.population_month) as population_month
    from answers as j
    inner join rules as r on j.rule_id = r.standard_id
    left join detail.unit_shares as u
        on
            j.rule_id = u.standard_id
            and j.subject_level = u.subject_level
            and j.subject_code = u.subject_code
            and j.month = u.month
    left join main.staffing_gap_monthly as p
        on
            j.rule_id = p.standard_id
            and j.township_code = p.township_code
            and j.month = p.month
    left join main.funding_gap_monthly as f
        on
            j.rule_id = f.standard_id
            and j.township_code = f.township_code
            and j.month = f.month
)

select * from final
