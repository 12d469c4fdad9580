-- A row is this edition, the only one.
-- Must hold: exactly one row.
{{ config(tags=['nationwide']) }}
with final as (
    select
        cast(e.edition_id as string) as edition_id,
        cast(e.built_at as timestamp) as built_at,
        cast(e.input_fingerprint as string) as input_fingerprint,
        cast(e.standards_fingerprint as string) as standards_fingerprint,
        cast(e.code_version as string) as code_version,
        cast(m.first_month as date) as first_month,
        cast(m.last_month as date) as last_month
    from {{ source('inputs', 'edition') }} as e
    cross join (
        select min(month) as first_month, max(month) as last_month
        from {{ ref('int_months') }}
    ) as m
)

select * from final
order by edition_id
