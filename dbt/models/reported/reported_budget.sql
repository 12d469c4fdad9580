-- A row is a budget report for a township and month as one file gave it; every version stays, with file, sheet and row.
-- Must hold: at most one row a key is current, and a held row never is.
{{ config(
    alias='budget',
    materialized='incremental', on_schema_change='fail',
    pre_hook="{{ forget(anew('month') ~ ' or month is null') }}"
) }}

with reports as (
    select
        month, township_code, reported_code, reported_name,
        initial_budget_cny, adjusted_budget_cny, disbursed_month_cny,
        disbursed_cumulative_cny, spent_month_cny, spent_cumulative_cny,
        is_listed_separately,
        submission_id, sheet, row_number, row_status, doubts, precedence
    from {{ source('inputs', 'budget') }}
    where {{ anew('month') }} or month is null
),

{{ current_rows('month, township_code') }}

select * from final
order by extract(year from month), township_code, month, submission_id, sheet, row_number
