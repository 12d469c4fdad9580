-- A row is a unit that ended and left all that it had to one other, with what it and those before it came to in that year.
-- Must hold: a renaming is no takeover, and a unit split among several is not here; an amount nobody reported is null.
{{ config(alias='takeovers') }}
with {{ area_amounts('unit_id in (select unit_id from ' ~ ref('int_takeovers') ~ ')') }}
-- The month in which it ended it may still have told.
latest as (
    select
        a.*,
        cast(row_number() over (
            partition by a.unit_id, a.fiscal_year order by a.month desc nulls last
        ) as bigint) as recency
    from areas_3 as a
),

dated as (
    select
        t.unit_id, t.township_code, t.heir_unit_id,
        cast({{ dbt.dateadd('month', 'cast(t.since_index - 24000 as int)', "date '2000-01-01'") }} as date)
            as since_month
    from {{ ref('int_takeovers') }} as t
),

final as (
    select
        cast(d.unit_id as string) as unit_id,
        cast(d.township_code as string) as township_code,
        cast(d.heir_unit_id as string) as heir_unit_id,
        cast(d.since_month as date) as since_month,
        cast(l.month as date) as last_month,
        cast(l.allocated_cny as decimal(18, 2)) as allocated_annual_cny,
        cast(l.disbursed_ytd_cny as decimal(18, 2)) as disbursed_ytd_cny,
        cast(l.spent_ytd_cny as decimal(18, 2)) as spent_ytd_cny
    from dated as d
    left join latest as l
        on
            d.unit_id = l.unit_id
            and extract(year from d.since_month) = l.fiscal_year
            and l.recency = 1
)

select * from final
order by unit_id
