-- A row is a month, county and fund for which a list of payments says that it has everything.
-- Must hold: within these a township without a payment was paid nothing; elsewhere nothing is known of it.
{{ config(alias='payment_coverage') }}

with final as (
    select
        cast(c.source as string) as source,
        cast(c.fund_code as string) as fund_code,
        cast(c.division_code as string) as county_code,
        cast(c.month as date) as month,
        cast(c.submission_id as string) as submission_id,
        cast(c.sheet as string) as sheet,
        cast(row_number() over (
            partition by c.source, c.fund_code, c.division_code, c.month
            order by c.precedence desc nulls last, c.submission_id asc nulls last, c.sheet asc nulls last
        ) = 1 as boolean) as is_latest
    from {{ source('inputs', 'payment_coverage') }} as c
)

select * from final
order by month, county_code, source, fund_code, submission_id, sheet
