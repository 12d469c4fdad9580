-- A row is a township × month × staffing standard in force: who counts, who is required, who is missing.
-- Must hold: people count only as the standard counts them; a count known in part can meet, it can never miss. Where
-- the people of a township are written in 万人, only who is missing by any number written so is missing.
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
        max(case when measure_code = '{{ column }}' and role = 'part' then threshold end)
            as least_{{ column }}
        {% endfor %}
    from {{ ref('stg_standard_measures') }}
    group by standard_id
),

counting_what as (
    select
        c.*, r.matter,
        {% for column in columns %}
        cast(c.counts_{{ column }} as string) {% if not loop.last %}||{% endif %}
        {% endfor %} as parts
    from counting as c
    inner join {{ ref('stg_standards') }} as r on c.standard_id = r.standard_id
),

counted as (
    select
        m.township_code, m.month, ts.standard_id, ts.formula, c.matter, c.parts,
        r.tier_label, r.population_persons, r.population_month, r.population_is_fallback, r.is_on_tier_edge,
        r.required_min, r.advised_max, r.required_least, r.advised_most, r.population_basis,
        ts.formula = 'staff_range_by_tier' and r.is_tier_uncertain as is_tier_uncertain,
        ts.formula = 'staff_range_by_tier' and coalesce(r.population_is_stale, false) as is_stale,
        {% for column in columns %}
        c.counts_{{ column }} * coalesce(s.{{ column }}, 0)
        {% if not loop.last %}+{% endif %}
        {% endfor %} as known_count,
        {% for column in columns %}
        (c.counts_{{ column }} = 1 and s.{{ column }} is null)
        {% if not loop.last %}or{% endif %}
        {% endfor %} as lacks_a_part,
        {% for column in columns %}
        (c.counts_{{ column }} = 1 and s.{{ column }} is not null)
        {% if not loop.last %}or{% endif %}
        {% endfor %} as knows_a_part,
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
            m.unit_id = r.unit_id
            and ts.standard_id = r.standard_id
            and m.fiscal_year = r.fiscal_year
            and m.month_number >= r.from_number
            and m.month_number <= r.until_number
            and r.variant_no = 0
    inner join counting_what as c on ts.standard_id = c.standard_id
    left join {{ ref('reported_staffing') }} as s
        on m.township_code = s.township_code and m.month = s.month and s.is_current
    where {{ anew('m.month') }}
),

-- A part left blank can only add people: what is known may reach the minimum, what is missing of it is not known.
known as (
    select
        c.*,
        case when c.knows_a_part then c.known_count end as counted,
        c.knows_a_part and c.lacks_a_part as counted_is_partial,
        case
            when not c.knows_a_part then null
            when c.formula = 'posts_parts' then c.parts_shortfall
            else {{ missing('c.required_least', 'cast(c.known_count as decimal(18, 4))') }}
        end as known_shortfall
    from counted as c
),

judged as (
    select
        k.*,
        case
            -- A tier that rests on an old number of people says nothing.
            when k.is_stale then null
            when k.formula = 'posts_parts' and k.counted_is_partial then null
            when k.known_shortfall > 0 and k.counted_is_partial then null
            else k.known_shortfall
        end as shortfall
    from known as k
),

-- Of rules on the same matter that count the same people, the one that misses most stands for them in totals.
ranked as (
    select
        j.*,
        cast(row_number() over (
            partition by j.township_code, j.month, j.matter, j.parts
            order by j.shortfall desc nulls last, j.standard_id asc nulls last
        ) as bigint) as place
    from judged as j
),

final as (
    select
        cast(township_code as string) as township_code,
        cast(month as date) as month,
        cast(standard_id as string) as standard_id,
        cast(tier_label as string) as tier_label,
        cast(population_persons as bigint) as population_persons,
        cast(population_month as date) as population_month,
        cast(population_is_fallback as boolean) as population_is_fallback,
        cast(coalesce(is_on_tier_edge, false) as boolean) as is_on_tier_edge,
        cast(coalesce(is_tier_uncertain, false) as boolean) as is_tier_uncertain,
        cast(counted as bigint) as counted_persons,
        cast(counted_is_partial as boolean) as counted_is_partial,
        cast(required_min as bigint) as required_min_persons,
        cast(required_least as bigint) as required_least_persons,
        cast(advised_max as bigint) as advised_max_persons,
        cast(advised_most as bigint) as advised_most_persons,
        cast(shortfall as bigint) as shortfall_persons,
        cast(case
            when shortfall is null then null
            when advised_most is null then 0
            else {{ missing('cast(counted as decimal(18, 4))', 'advised_most') }}
        end as bigint) as excess_persons,
        cast(place = 1 as boolean) as is_counted_in_totals,
        cast(case
            when shortfall is null or required_min is null then 'not_reported'
            when shortfall > 0 then 'short'
            when counted > advised_most then 'over'
            else 'met'
        end as string) as status
    from ranked
)

select * from final
order by extract(year from month), township_code, month, standard_id
