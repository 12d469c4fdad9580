-- A row is a budget report for a township and month as one file gave it; every version stays, with file, sheet and row.
-- Must hold: at most one row a key is current, and a held row never is. The columns are those of the contract.
{{ config(
    alias='budget',
    materialized='incremental', on_schema_change='fail',
    pre_hook="{{ forget(anew('month') ~ ' or month is null') }}"
) }}

with reports as (
    select * from {{ source('inputs', 'budget') }}
    where {{ anew('month') }} or month is null
),

{{ current_rows(
    'month, township_code', 'initial_budget_cny', 'source, fund_code', "s.fund_code = 'working_funds'"
) }}

select * from final
order by extract(year from month), township_code, month, submission_id, sheet, row_number
