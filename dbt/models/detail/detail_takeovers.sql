-- A row is a unit that ended and left all that it had to one other.
-- Must hold: a renaming is no takeover, and a unit split among several is not here.
{{ config(alias='takeovers') }}
with final as (
    select
        cast(t.unit_id as string) as unit_id,
        cast(t.township_code as string) as township_code,
        cast(t.heir_unit_id as string) as heir_unit_id,
        cast({{ dbt.dateadd('month', 'cast(t.since_index - 24000 as int)', "date '2000-01-01'") }} as date)
            as since_month
    from {{ ref('int_takeovers') }} as t
)

select * from final
order by unit_id
