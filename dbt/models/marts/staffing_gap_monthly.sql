-- A row is a township × month × staffing standard in force: who counts, who is required, who is missing.
-- Must hold: people count only as the standard counts them; a part left blank is said, not taken as zero people.
{{ config(
    materialized='incremental', on_schema_change='fail',
    pre_hook="{{ forget(anew('month')) }}"
) }}
{% set columns = [
    'administrative_posts', 'institution_posts', 'dedicated_staff_persons', 'welfare_posts_persons',
    'purchased_service_persons', 'part_time_persons'
] %}
with counting as (
    select
        standard_id
        {% for column in columns %},
        max(case when measure_code = '{{ column }}' then 1 else 0 end) as counts_{{ column }},
        max(case when measure_code = '{{ column }}' and required then 1 else 0 end) as needs_{{ column }},
        max(case when measure_code = '{{ column }}' and role = 'part' then threshold end)
            as least_{{ column }}
        {% endfor %}
    from {{ ref('stg_standard_measures') }}
    group by standard_id
),

counted as (
    select
        m.township_code, m.month, ts.standard_id, ts.formula,
        r.tier_label, r.population_persons, r.population_month, r.population_is_fallback, r.is_on_tier_edge,
        r.required_min, r.advised_max, r.population_basis,
        s.submission_id,
        {% for column in columns %}
        c.counts_{{ column }} * coalesce(s.{{ column }}, 0)
        {% if not loop.last %}+{% endif %}
        {% endfor %} as known_count,
        {% for column in columns %}
        (c.needs_{{ column }} = 1 and s.{{ column }} is null)
        {% if not loop.last %}or{% endif %}
        {% endfor %} as lacks_required_part,
        {% for column in columns %}
        (c.counts_{{ column }} = 1 and c.needs_{{ column }} = 0 and s.{{ column }} is null)
        {% if not loop.last %}or{% endif %}
        {% endfor %} as lacks_other_part,
        case
            when ts.formula = 'posts_parts' then
                {% for column in columns %}
                coalesce({{ missing('c.least_' ~ column, 'cast(s.' ~ column ~ ' as decimal(18, 4))') }}, 0)
                {% if not loop.last %}+{% endif %}
                {% endfor %}
        end as parts_shortfall
    from {{ ref('int_township_months') }} as m
    inner join {{ ref('int_township_standards') }} as ts
        on
            m.township_code = ts.township_code
            and ts.formula in ('staff_floor', 'staff_range_by_tier', 'posts_parts')
            and ts.effective_from <= m.last_day
            and (ts.effective_to is null or ts.effective_to >= m.last_day)
            and (ts.replaced_on is null or ts.replaced_on > m.last_day)
    inner join {{ ref('int_township_requirements') }} as r
        on
            ts.township_code = r.township_code
            and ts.standard_id = r.standard_id
            and m.fiscal_year = r.fiscal_year
    inner join counting as c on ts.standard_id = c.standard_id
    left join {{ ref('reported_staffing') }} as s
        on m.township_code = s.township_code and m.month = s.month and s.is_current
    where {{ anew('m.month') }}
),

judged as (
    select
        township_code, month, standard_id, tier_label,
        population_persons, population_month, population_is_fallback, is_on_tier_edge,
        required_min, advised_max,
        submission_id is null or lacks_required_part as is_unreported,
        submission_id is not null and not lacks_required_part and lacks_other_part as counted_is_partial,
        case when submission_id is not null and not lacks_required_part then known_count end as counted,
        case
            when submission_id is null or lacks_required_part then null
            when formula = 'posts_parts' then parts_shortfall
            else {{ missing('required_min', 'cast(known_count as decimal(18, 4))') }}
        end as shortfall,
        case
            when submission_id is null or lacks_required_part or advised_max is null then null
            else {{ missing('cast(known_count as decimal(18, 4))', 'advised_max') }}
        end as excess
    from counted
),

final as (
    select
        cast(township_code as varchar) as township_code,
        cast(month as date) as month,
        cast(standard_id as varchar) as standard_id,
        cast(tier_label as varchar) as tier_label,
        cast(population_persons as bigint) as population_persons,
        cast(population_month as date) as population_month,
        cast(population_is_fallback as boolean) as population_is_fallback,
        cast(coalesce(is_on_tier_edge, false) as boolean) as is_on_tier_edge,
        cast(counted as bigint) as counted_persons,
        cast(counted_is_partial as boolean) as counted_is_partial,
        cast(required_min as bigint) as required_min_persons,
        cast(advised_max as bigint) as advised_max_persons,
        cast(shortfall as bigint) as shortfall_persons,
        cast(case when shortfall is not null then coalesce(excess, 0) end as bigint) as excess_persons,
        cast(case
            when is_unreported or required_min is null then 'not_reported'
            when shortfall > 0 then 'short'
            when excess > 0 then 'over'
            else 'met'
        end as varchar) as status
    from judged
)

select * from final
order by extract(year from month), township_code, month, standard_id
