-- A row is a part of a unit's fiscal year in which its code and the units it took over stay the same: a phase.
-- Must hold: phases of a year follow one another; the last goes on to December, as if the unit did.
{{ config(
    materialized='incremental', on_schema_change='fail',
    pre_hook="{{ forget(anew_year('fiscal_year')) }}"
) }}
with codes as (
    select
        l.unit_id, u.division_code as township_code, u.is_township,
        case when u.valid_from is null then 0 else {{ month_index('u.valid_from') }} end as start_index,
        case when u.unit_end is null then 999999 else {{ month_index('u.unit_end') }} - 1 end as last_index
    from {{ ref('int_units') }} as u
    inner join {{ ref('int_unit_lineage') }} as l on u.division_code = l.township_code
    where u.unit_level = 'township'
),

-- Of two codes of a renamed unit the later one holds from its first month on.
ordered as (
    select
        c.*,
        lead(c.start_index) over (
            partition by c.unit_id order by c.start_index asc nulls first, c.township_code asc nulls first
        ) as next_index
    from codes as c
),

spans as (
    select unit_id, min(start_index) as first_index, max(last_index) as last_index
    from codes
    group by unit_id
),

years as (
    select fiscal_year, fiscal_year * 12 as january
    from {{ ref('int_months') }}
    where {{ anew_year('fiscal_year') }}
    group by fiscal_year
),

bounds as (
    select
        s.unit_id, y.fiscal_year, y.january,
        case when s.first_index > y.january then s.first_index else y.january end as from_index
    from spans as s
    inner join years as y on s.first_index <= y.january + 11 and s.last_index >= y.january
    union
    select o.unit_id, y.fiscal_year, y.january, o.start_index as from_index
    from ordered as o
    inner join years as y on o.start_index > y.january and o.start_index <= y.january + 11
    union
    select t.heir_unit_id as unit_id, y.fiscal_year, y.january, t.since_index as from_index
    from {{ ref('int_takeovers') }} as t
    inner join years as y on t.since_index > y.january and t.since_index <= y.january + 11
),

phases as (
    select
        b.*,
        coalesce(
            lead(b.from_index) over (partition by b.unit_id, b.fiscal_year order by b.from_index asc nulls first) - 1,
            b.january + 11
        ) as until_index
    from bounds as b
),

final as (
    select
        p.unit_id, o.township_code, o.is_township, p.fiscal_year,
        p.from_index, p.until_index,
        p.from_index - p.january + 1 as from_number,
        p.until_index - p.january + 1 as until_number,
        -- The months of the year that the unit really has; later ones count only as if it went on.
        case when s.last_index < p.january + 11 then s.last_index - p.january + 1 else 12 end as last_number,
        s.first_index
    from phases as p
    inner join spans as s on p.unit_id = s.unit_id
    inner join ordered as o
        on
            p.unit_id = o.unit_id
            and p.from_index >= o.start_index
            and (o.next_index is null or p.from_index < o.next_index)
)

select * from final
