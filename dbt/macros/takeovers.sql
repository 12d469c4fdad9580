{# CTEs that end in `joined_<step>`: an heir's amounts of the year with those of the units it took over in it.
   `areas` has the amounts of all units; `own` what each reported itself; `links` the takeovers of the year. #}
{% macro areas_after_takeovers(areas, step, kinds) -%}
-- What a unit taken over came to in its last month.
brought_{{ step }} as (
    select
        l.heir_unit_id, l.unit_id, l.fiscal_year, l.since_number, l.is_founded,
        a.allocated_cny, a.allocated_precision_cny, a.allocated_as_of_month,
        {% for kind in kinds %}
        a.{{ kind }}_ytd_cny, a.{{ kind }}_precision_cny, a.{{ kind }}_as_of_number,
        -- The month in which it ended it may have told, but need not.
        coalesce(
            a.{{ kind }}_is_partial
            or a.{{ kind }}_as_of_number
            < case when a.month_number < l.since_number then a.month_number else l.since_number - 1 end,
            l.since_number > 1
        ) as {{ kind }}_is_partial
        {{- ',' if not loop.last }}
        {% endfor %}
    from links as l
    left join (
        select
            r.*,
            cast(row_number() over (
                partition by r.unit_id, r.fiscal_year order by r.month_number desc nulls last
            ) as bigint) as recency
        from {{ areas }} as r
    ) as a
        on l.unit_id = a.unit_id and l.fiscal_year = a.fiscal_year and a.recency = 1
),

-- One takeover may bring several units at once.
takeovers_{{ step }} as (
    select
        heir_unit_id, fiscal_year, since_number,
        sum(allocated_cny) as allocated_cny,
        max(case when allocated_cny is null then 1 else 0 end) as allocated_is_unknown,
        max(allocated_as_of_month) as allocated_as_of_month,
        max(is_founded) as is_founded,
        sum(allocated_precision_cny) as allocated_precision_cny
        {%- for kind in kinds %},
        sum({{ kind }}_ytd_cny) as {{ kind }}_ytd_cny,
        sum({{ kind }}_precision_cny) as {{ kind }}_precision_cny,
        max({{ kind }}_as_of_number) as {{ kind }}_as_of_number,
        max(case when {{ kind }}_is_partial then 1 else 0 end) as {{ kind }}_is_partial
        {%- endfor %}
    from brought_{{ step }}
    group by heir_unit_id, fiscal_year, since_number
),

-- Whether the heir's cumulative figures are the whole area's is decided once, at the first from the takeover on;
-- its budget is the area's from when one reported since then is nearer to the sum than to the heir's own last.
decided_{{ step }} as (
    select
        t.heir_unit_id, t.fiscal_year, t.since_number,
        min(case
            when
                t.allocated_is_unknown = 0
                and o.allocated_as_of_number >= t.since_number
                and abs(o.allocated_cny - coalesce(b.allocated_cny, 0) - t.allocated_cny)
                < abs(o.allocated_cny - coalesce(b.allocated_cny, 0))
                then o.month_number
            -- Of a budget that nobody knows: a new figure of the heir's is taken for the area's.
            when
                t.allocated_is_unknown = 1
                and o.allocated_as_of_number >= t.since_number
                and o.allocated_cny <> coalesce(b.allocated_cny, 0)
                then o.month_number
        end) as allocated_from
        {%- for kind in kinds %},
        min(case when o.{{ kind }}_is_cumulative then o.month_number end) as {{ kind }}_decided,
        min(case
            when o.{{ kind }}_is_cumulative
                then cast(o.month_number as decimal(4, 0)) * cast(100 as decimal(4, 0))
                + case
                    when o.{{ kind }}_ytd_cny >= coalesce(b.{{ kind }}_ytd_cny, 0) + coalesce(t.{{ kind }}_ytd_cny, 0)
                        then 1
                    else 0
                end
        end) as {{ kind }}_decision
        {%- endfor %}
    from takeovers_{{ step }} as t
    inner join (
        select
            w.*,
            cast(extract(month from w.allocated_as_of_month) as bigint) as allocated_as_of_number
        from own as w
    ) as o
        on t.heir_unit_id = o.unit_id and t.fiscal_year = o.fiscal_year and o.month_number >= t.since_number
    left join own as b
        on t.heir_unit_id = b.unit_id and t.fiscal_year = b.fiscal_year and b.month_number = t.since_number - 1
    group by t.heir_unit_id, t.fiscal_year, t.since_number
),

-- For each month of the heir what is to be added to its own figures.
added_{{ step }} as (
    select
        o.unit_id, o.month,
        sum(case when a.allocated then t.allocated_cny end) as allocated_cny,
        sum(case when a.allocated then t.allocated_precision_cny end) as allocated_precision_cny,
        max(case when a.allocated then 1 else 0 end) as allocated_is_added,
        max(case when a.allocated then t.allocated_is_unknown else 0 end) as allocated_is_unknown,
        max(t.allocated_as_of_month) as allocated_as_of_month,
        max(t.is_founded) as is_founded
        {%- for kind in kinds %},
        sum(case when a.{{ kind }} then t.{{ kind }}_ytd_cny end) as {{ kind }}_ytd_cny,
        sum(case when a.{{ kind }} then t.{{ kind }}_precision_cny end) as {{ kind }}_precision_cny,
        max(case when a.{{ kind }} then t.{{ kind }}_as_of_number end) as {{ kind }}_as_of_number,
        max(case when a.{{ kind }} then t.{{ kind }}_is_partial else 0 end) as {{ kind }}_is_partial,
        max(case when a.{{ kind }} and a.{{ kind }}_is_decided then 1 else 0 end) as {{ kind }}_is_doubtful
        {%- endfor %}
    from own as o
    inner join takeovers_{{ step }} as t
        on o.unit_id = t.heir_unit_id and o.fiscal_year = t.fiscal_year and o.month_number >= t.since_number
    inner join (
        select
            w.unit_id, w.month, d.since_number,
            d.allocated_from is null or d.allocated_from > w.month_number as allocated
            {%- for kind in kinds %},
            d.{{ kind }}_decided is null
            or d.{{ kind }}_decided > w.month_number
            or mod(cast(d.{{ kind }}_decision as bigint), 100) = 0 as {{ kind }},
            coalesce(d.{{ kind }}_decided <= w.month_number, false) as {{ kind }}_is_decided
            {%- endfor %}
        from own as w
        inner join decided_{{ step }} as d
            on w.unit_id = d.heir_unit_id and w.fiscal_year = d.fiscal_year and w.month_number >= d.since_number
    ) as a
        on o.unit_id = a.unit_id and o.month = a.month and t.since_number = a.since_number
    group by o.unit_id, o.month
),

joined_{{ step }} as (
    select
        o.unit_id, o.month, o.fiscal_year, o.month_number,
        case
            when coalesce(d.allocated_is_unknown, 0) = 1 then null
            -- A new code's area has the budgets of those before until it reports one itself.
            when o.allocated_cny is null and d.is_founded = 1 then d.allocated_cny
            else o.allocated_cny + coalesce(d.allocated_cny, 0)
        end as allocated_cny,
        case
            when o.allocated_cny is null and d.is_founded = 1 then d.allocated_precision_cny
            else o.allocated_precision_cny + coalesce(d.allocated_precision_cny, 0)
        end as allocated_precision_cny,
        case when o.allocated_cny is null and d.is_founded = 1 then d.allocated_as_of_month else o.allocated_as_of_month end
            as allocated_as_of_month,
        coalesce(d.allocated_is_added, 0) = 1 as allocated_is_added
        {%- for kind in kinds %},
        case
            when o.{{ kind }}_ytd_cny is not null or d.{{ kind }}_ytd_cny is not null
                then coalesce(o.{{ kind }}_ytd_cny, 0) + coalesce(d.{{ kind }}_ytd_cny, 0)
        end as {{ kind }}_ytd_cny,
        case
            when o.{{ kind }}_ytd_cny is not null or d.{{ kind }}_ytd_cny is not null
                then coalesce(o.{{ kind }}_precision_cny, 0) + coalesce(d.{{ kind }}_precision_cny, 0)
        end as {{ kind }}_precision_cny,
        coalesce(o.{{ kind }}_as_of_number, d.{{ kind }}_as_of_number) as {{ kind }}_as_of_number,
        coalesce(o.{{ kind }}_is_partial, false) or coalesce(d.{{ kind }}_is_partial, 0) = 1 as {{ kind }}_is_partial,
        coalesce(d.{{ kind }}_is_doubtful, 0) = 1 as {{ kind }}_is_doubtful
        {%- endfor %}
    from own as o
    left join added_{{ step }} as d on o.unit_id = d.unit_id and o.month = d.month
    where exists (select 1 from links as l where o.unit_id = l.heir_unit_id and o.fiscal_year = l.fiscal_year)
),
{%- endmacro %}

{# CTEs that end in `areas_3`: the working funds' amounts of the year by unit and month, an heir's with those of the units that
   it took over in it. `own_where` says of which units and months; with a unit go those that it took over itself. #}
{% macro area_amounts(own_where) -%}
{%- set kinds = ['disbursed', 'spent'] %}
{%- set amounts = [
    'allocated_cny', 'allocated_precision_cny', 'allocated_as_of_month', 'allocated_is_added',
    'disbursed_ytd_cny', 'disbursed_precision_cny', 'disbursed_as_of_number', 'disbursed_is_partial', 'disbursed_is_doubtful',
    'spent_ytd_cny', 'spent_precision_cny', 'spent_as_of_number', 'spent_is_partial', 'spent_is_doubtful'
] -%}
own as (
    select
        unit_id, month, fiscal_year, month_number,
        allocated_cny, allocated_precision_cny, allocated_as_of_month, false as allocated_is_added,
        {% for kind in kinds %}
        {{ kind }}_ytd_cny, {{ kind }}_precision_cny, {{ kind }}_as_of_number, {{ kind }}_is_partial,
        false as {{ kind }}_is_doubtful, {{ kind }}_is_cumulative,
        {% endfor %}
        is_listed_separately, allocated_source, disbursed_source, spent_source
    from {{ ref('int_matter_amounts') }}
    where matter = 'working_funds' and {{ own_where }}
),

years as (
    select fiscal_year from own group by fiscal_year
),

links as (
    select
        t.unit_id, t.heir_unit_id, y.fiscal_year, t.since_index - y.fiscal_year * 12 + 1 as since_number,
        -- A new code made of others has no figures of its own before.
        case when p.first_index = t.since_index then 1 else 0 end as is_founded
    from {{ ref('int_takeovers') }} as t
    inner join years as y on t.since_index >= y.fiscal_year * 12 and t.since_index <= y.fiscal_year * 12 + 11
    inner join (
        select unit_id, fiscal_year, min(first_index) as first_index
        from {{ ref('int_unit_phases') }}
        group by unit_id, fiscal_year
    ) as p
        on t.heir_unit_id = p.unit_id and y.fiscal_year = p.fiscal_year
    -- A unit that ended in January has nothing in the year but what it still told of that month.
    where
        t.since_index > y.fiscal_year * 12
        or exists (select 1 from own as o where t.unit_id = o.unit_id and y.fiscal_year = o.fiscal_year)
),

-- A takeover may follow another within the year: what was taken over first is added first.
areas_0 as (
    select unit_id, month, fiscal_year, month_number, {{ amounts | join(', ') }}
    from own
),

{% for step in [1, 2, 3] %}
{{ areas_after_takeovers('areas_' ~ (step - 1), step, kinds) }}

areas_{{ step }} as (
    select unit_id, month, fiscal_year, month_number, {{ amounts | join(', ') }}
    from own as o
    where not exists (select 1 from links as l where o.unit_id = l.heir_unit_id and o.fiscal_year = l.fiscal_year)
    union all
    select unit_id, month, fiscal_year, month_number, {{ amounts | join(', ') }}
    from joined_{{ step }}
),

{% endfor %}
{%- endmacro %}
