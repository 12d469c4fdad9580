-- A row is a figure for a township and month as one file gave it; every version stays, with file, sheet and row.
-- Must hold: at most one row a key is current, and a held row never is. The columns are those of the contract.
{{ config(
    alias='population',
    materialized='incremental', on_schema_change='fail',
    pre_hook="{{ forget(anew('month') ~ ' or month is null') }}"
) }}

with reports as (
    select * from {{ source('inputs', 'population') }}
    where {{ anew('month') }} or month is null
),

{{ current_rows('month, township_code', 'population_persons') }}

select * from final
order by extract(year from month), township_code, month, submission_id, sheet, row_number
