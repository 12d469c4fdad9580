-- A row is what a unit is guaranteed to the end of a month, and for the year as if it went on, as known then.
-- Must hold: `standard_id` is null where the highest standard of each month counts; with one, that standard alone.
{{ config(
    materialized='incremental', on_schema_change='fail',
    pre_hook="{{ forget(anew_year('fiscal_year')) }}"
) }}
with months as (
    select * from {{ ref('int_funding_months') }} where {{ anew_year('fiscal_year') }}
),

-- Phases of one stretch rest on the same people.
phases as (
    select
        p.*, b.stretch_number,
        coalesce(lead(b.stretch_number) over (
            partition by p.unit_id, p.fiscal_year order by p.from_number asc nulls first
        ) = b.stretch_number, false) as goes_on
    from {{ ref('int_unit_phases') }} as p
    inner join {{ ref('int_unit_bases') }} as b
        on
            p.unit_id = b.unit_id
            and p.fiscal_year = b.fiscal_year
            and p.from_number = b.from_number
            and b.population_basis = 'registered'
    where {{ anew_year('p.fiscal_year') }}
),

links as (
    select
        t.heir_unit_id, t.unit_id, y.fiscal_year, t.since_index - y.fiscal_year * 12 + 1 as since_number
    from {{ ref('int_takeovers') }} as t
    inner join (select fiscal_year from phases group by fiscal_year) as y
        on t.since_index > y.fiscal_year * 12 and t.since_index <= y.fiscal_year * 12 + 11
),

-- Those taken over in the year with those that they had taken over before in it: up to three in a row.
members as (
    select heir_unit_id, unit_id, fiscal_year, since_number from links
    union
    select a.heir_unit_id, b.unit_id, a.fiscal_year, a.since_number
    from links as a
    inner join links as b on a.unit_id = b.heir_unit_id and a.fiscal_year = b.fiscal_year
    union
    select a.heir_unit_id, c.unit_id, a.fiscal_year, a.since_number
    from links as a
    inner join links as b on a.unit_id = b.heir_unit_id and a.fiscal_year = b.fiscal_year
    inner join links as c on b.unit_id = c.heir_unit_id and b.fiscal_year = c.fiscal_year
),

-- Where several standards stand side by side, or units come together, each standard is counted alone as well.
several as (
    select unit_id, fiscal_year
    from months
    group by unit_id, fiscal_year
    having min(standard_id) < max(standard_id)
    union
    select unit_id, fiscal_year from months where matter <> 'working_funds' group by unit_id, fiscal_year
    union
    select heir_unit_id as unit_id, fiscal_year from members
    union
    select unit_id, fiscal_year from members
),

counted as (
    select
        cast(null as string) as standard_id, unit_id, fiscal_year, known_number, known_until_number,
        from_number, variant_no, month_number, standard_id as counted_standard_id,
        share_units, other_share_units, population_is_stale
    from months
    where is_highest
    union all
    select
        m.standard_id, m.unit_id, m.fiscal_year, m.known_number, m.known_until_number,
        m.from_number, m.variant_no, m.month_number, m.standard_id as counted_standard_id,
        m.share_units, m.other_share_units, m.population_is_stale
    from months as m
    inner join several as s on m.unit_id = s.unit_id and m.fiscal_year = s.fiscal_year
),

{% set key = 'standard_id, unit_id, fiscal_year, known_number' %}
-- A month without a standard adds nothing, but it is there.
keys as (
    select {{ key }}, known_until_number
    from counted
    group by {{ key }}, known_until_number
),

variants as (
    select p.unit_id, p.fiscal_year, p.stretch_number, m.variant_no
    from months as m
    inner join phases as p
        on m.unit_id = p.unit_id and m.fiscal_year = p.fiscal_year and m.from_number = p.from_number
    group by p.unit_id, p.fiscal_year, p.stretch_number, m.variant_no
    union
    select unit_id, fiscal_year, stretch_number, cast(0 as bigint) as variant_no
    from phases
),

grid as (
    select
        k.standard_id, k.unit_id, k.fiscal_year, k.known_number, k.known_until_number,
        p.from_number, p.until_number, p.last_number, p.stretch_number, p.goes_on, v.variant_no, n.month_number
    from keys as k
    inner join phases as p on k.unit_id = p.unit_id and k.fiscal_year = p.fiscal_year
    inner join variants as v
        on p.unit_id = v.unit_id and p.fiscal_year = v.fiscal_year and p.stretch_number = v.stretch_number
    inner join ({{ numbers_of_months() }}) as n on p.from_number <= n.month_number
),

{% set running = 'partition by g.standard_id, g.unit_id, g.fiscal_year, g.known_number, g.from_number, g.variant_no' %}
added as (
    select
        g.*,
        {% for name, expression, type in [
            ('units', 'c.share_units', 'decimal(38, 0)'),
            ('other_units', 'c.other_share_units', 'decimal(38, 0)'),
            ('months', 'case when c.counted_standard_id is not null then 1 else 0 end', 'bigint'),
            ('unknown', 'case when c.counted_standard_id is not null and c.share_units is null then 1 else 0 end', 'bigint'),
            ('stale', 'case when c.counted_standard_id is not null and c.population_is_stale then 1 else 0 end', 'bigint')
        ] %}
        cast(coalesce(sum({{ expression }}) over (
            {{ running }} order by g.month_number asc nulls first rows between unbounded preceding and current row
        ), 0) as {{ type }}) as {{ name }}_to_date,
        cast(coalesce(sum({{ expression }}) over ({{ running }}), 0) as {{ type }}) as {{ name }}_of_year,
        {% endfor %}
        max(case
            when c.counted_standard_id is not null
                then lpad(cast(g.month_number as string), 2, '0') || c.counted_standard_id
        end) over ({{ running }}) as last_counted
    from grid as g
    left join counted as c
        on
            {{ same_accrual('g', 'c') }}
            and g.from_number = c.from_number
            and g.variant_no = c.variant_no
            and g.month_number = c.month_number
),

-- What the earlier phases of a stretch came to, for each number of people that may have been meant.
carried as (
    select
        {{ key }}, stretch_number, variant_no,
        sum(units_to_date) over (
            partition by {{ key }}, stretch_number, variant_no
            order by from_number asc nulls first rows between unbounded preceding and current row
        ) as units,
        until_number + 1 as next_from_number
    from added
    where goes_on and month_number = until_number
),

-- The least of what a population written in 万人 may come to, in each stretch by itself.
by_phase as (
    select
        a.standard_id, a.unit_id, a.fiscal_year, a.known_number, a.known_until_number, a.from_number, a.until_number,
        a.last_number, a.stretch_number, a.goes_on, a.month_number,
        {% for name in [
            'units_to_date', 'units_of_year', 'other_units_of_year', 'months_to_date', 'unknown_to_date',
            'unknown_of_year', 'stale_to_date'
        ] %}
        max(case when a.variant_no = 0 then a.{{ name }} end) as {{ name }},
        {% endfor %}
        {% for span in ['to_date', 'of_year'] %}
        coalesce(
            min(case when a.variant_no > 0 then a.units_{{ span }} + coalesce(c.units, 0) end),
            max(a.units_{{ span }} + coalesce(c.units, 0))
        ) as least_units_{{ span }},
        {% endfor %}
        max(case when a.variant_no = 0 then a.last_counted end) as last_counted
    from added as a
    left join carried as c
        on
            {{ same_accrual('a', 'c') }}
            and a.stretch_number = c.stretch_number
            and a.variant_no = c.variant_no
            and a.from_number = c.next_from_number
    where a.month_number <= a.until_number and a.month_number <= a.last_number
    group by
        a.standard_id, a.unit_id, a.fiscal_year, a.known_number, a.known_until_number, a.from_number, a.until_number,
        a.last_number, a.stretch_number, a.goes_on, a.month_number
),

ends_of_phases as (
    select
        p.*,
        -- The least of a stretch stands at its end, with all its phases.
        case when p.goes_on then 0 else p.least_units_to_date end as ended_least_units_to_date
    from by_phase as p
    where p.month_number = p.until_number
),

ended_phases as (
    select
        {{ key }}, from_number,
        {% for name, column in [
            ('units', 'units_to_date'), ('least_units', 'ended_least_units_to_date'), ('months', 'months_to_date'),
            ('unknown', 'unknown_to_date'), ('stale', 'stale_to_date')
        ] %}
        sum({{ column }}) over (
            partition by {{ key }} order by from_number asc nulls first rows between unbounded preceding and current row
        ) as {{ name }},
        {% endfor %}
        max(last_counted) over (
            partition by {{ key }} order by from_number asc nulls first rows between unbounded preceding and current row
        ) as last_counted,
        -- The next phase may have no last month of its own: the unit may end in it.
        until_number + 1 as next_from_number
    from ends_of_phases
),

own as (
    select
        p.standard_id, p.unit_id, p.fiscal_year, p.known_number, p.known_until_number, p.month_number, p.from_number,
        p.last_number,
        cast(p.units_to_date + coalesce(e.units, 0) as decimal(38, 0)) as units_to_date,
        cast(p.units_of_year + coalesce(e.units, 0) as decimal(38, 0)) as units_of_year,
        cast(p.least_units_to_date + coalesce(e.least_units, 0) as decimal(38, 0)) as least_units_to_date,
        cast(p.least_units_of_year + coalesce(e.least_units, 0) as decimal(38, 0)) as least_units_of_year,
        cast(p.other_units_of_year + coalesce(e.units, 0) as decimal(38, 0)) as other_units_of_year,
        cast(p.months_to_date + coalesce(e.months, 0) as bigint) as months_to_date,
        cast(p.unknown_to_date + coalesce(e.unknown, 0) as bigint) as unknown_to_date,
        cast(p.unknown_of_year + coalesce(e.unknown, 0) as bigint) as unknown_of_year,
        cast(p.stale_to_date + coalesce(e.stale, 0) as bigint) as stale_to_date,
        coalesce(p.last_counted, e.last_counted) as last_counted
    from by_phase as p
    left join ended_phases as e
        on
            {{ same_accrual('p', 'e') }}
            and p.from_number = e.next_from_number
),

-- An amount that a unit is owed whole for the year is not made less by another issuer's monthly standard: where the
-- months' highest come to less, that is what it was guaranteed when it ended.
wholes as (
    select
        o.unit_id, o.fiscal_year, o.known_number, o.units_of_year, o.units_to_date, o.least_units_to_date,
        cast(row_number() over (
            partition by o.unit_id, o.fiscal_year, o.known_number
            order by o.units_of_year desc nulls last, o.standard_id asc nulls last
        ) as bigint) as choice
    from own as o
    inner join phases as p
        on o.unit_id = p.unit_id and o.fiscal_year = p.fiscal_year and o.from_number = p.from_number
    inner join {{ ref('int_funding_windows') }} as w
        on
            p.township_code = w.township_code
            and o.fiscal_year = w.fiscal_year
            and o.known_number = w.known_number
            and o.standard_id = w.standard_id
            and w.matter = 'working_funds'
            and w.accrual = 'annual'
            and w.start_number <= o.month_number
            and w.end_number = 12
    where o.month_number = o.last_number and o.unknown_of_year = 0
),

-- Of a unit taken over what it was guaranteed to its end goes to the heir.
brought as (
    select
        m.heir_unit_id as unit_id, m.fiscal_year, o.standard_id, o.known_number, g.month_number,
        cast(sum(coalesce(w.units_to_date, o.units_to_date)) as decimal(38, 0)) as units,
        cast(sum(coalesce(w.least_units_to_date, o.least_units_to_date)) as decimal(38, 0)) as least_units,
        cast(sum(o.unknown_to_date) as bigint) as unknown,
        cast(sum(o.stale_to_date) as bigint) as stale
    from members as m
    inner join ({{ numbers_of_months() }}) as g on g.month_number >= m.since_number
    inner join own as o
        on m.unit_id = o.unit_id and m.fiscal_year = o.fiscal_year and o.month_number = o.last_number
    left join wholes as w
        on
            o.standard_id is null
            and o.unit_id = w.unit_id
            and o.fiscal_year = w.fiscal_year
            and o.known_number = w.known_number
            and w.units_of_year > o.units_of_year
            and w.choice = 1
    group by m.heir_unit_id, m.fiscal_year, o.standard_id, o.known_number, g.month_number
),

-- The months in which something accrued for an area, its own and those of the units it took over, each once.
months_of_areas as (
    select
        x.unit_id, x.fiscal_year, x.standard_id, x.known_number, x.month_number, min(x.seen_number) as seen_number
    from (
        select
            p.unit_id, p.fiscal_year, c.standard_id, c.known_number, c.month_number, c.month_number as seen_number
        from (select heir_unit_id, fiscal_year from members group by heir_unit_id, fiscal_year) as h
        inner join phases as p on h.heir_unit_id = p.unit_id and h.fiscal_year = p.fiscal_year
        inner join counted as c
            on
                p.unit_id = c.unit_id and p.fiscal_year = c.fiscal_year and p.from_number = c.from_number
                and c.variant_no = 0
                and c.month_number >= p.from_number and c.month_number <= p.until_number
                and c.month_number <= p.last_number
        union all
        select
            m.heir_unit_id as unit_id, p.fiscal_year, c.standard_id, c.known_number, c.month_number,
            m.since_number as seen_number
        from members as m
        inner join phases as p on m.unit_id = p.unit_id and m.fiscal_year = p.fiscal_year
        inner join counted as c
            on
                p.unit_id = c.unit_id and p.fiscal_year = c.fiscal_year and p.from_number = c.from_number
                and c.variant_no = 0
                and c.month_number >= p.from_number and c.month_number <= p.until_number
                and c.month_number <= p.last_number
    ) as x
    group by x.unit_id, x.fiscal_year, x.standard_id, x.known_number, x.month_number
),

area_months as (
    select
        a.unit_id, a.fiscal_year, a.standard_id, a.known_number, g.month_number,
        cast(count(*) as bigint) as months_count
    from months_of_areas as a
    inner join ({{ numbers_of_months() }}) as g on a.seen_number <= g.month_number
    group by a.unit_id, a.fiscal_year, a.standard_id, a.known_number, g.month_number
),

final as (
    select
        o.standard_id, o.unit_id, o.fiscal_year, o.known_number, o.month_number, o.from_number,
        case when o.unknown_to_date + coalesce(b.unknown, 0) = 0
            then cast(o.units_to_date + coalesce(b.units, 0) as decimal(38, 0)) end as units_to_date,
        case when o.unknown_of_year + coalesce(b.unknown, 0) = 0
            then cast(o.units_of_year + coalesce(b.units, 0) as decimal(38, 0)) end as units_of_year,
        case when o.unknown_to_date + coalesce(b.unknown, 0) = 0
            then cast(o.least_units_to_date + coalesce(b.least_units, 0) as decimal(38, 0)) end as least_units_to_date,
        case when o.unknown_of_year + coalesce(b.unknown, 0) = 0
            then cast(o.least_units_of_year + coalesce(b.least_units, 0) as decimal(38, 0)) end as least_units_of_year,
        case when o.unknown_of_year + coalesce(b.unknown, 0) = 0
            then cast(o.other_units_of_year + coalesce(b.units, 0) as decimal(38, 0)) end as other_units_of_year,
        coalesce(n.months_count, o.months_to_date) as months_count,
        substr(o.last_counted, 3) as last_standard_id,
        b.unit_id is not null as includes_predecessors,
        -- What accrued to a unit taken over rests on its own people, whatever the heir's year rests on.
        coalesce(b.stale > 0, false) as brings_stale
    from own as o
    left join area_months as n
        on
            {{ same_accrual('o', 'n') }}
            and o.month_number = n.month_number
    left join brought as b
        on
            {{ same_accrual('o', 'b') }}
            and o.month_number = b.month_number
    where o.month_number >= o.known_number and o.month_number <= o.known_until_number
)

select * from final
