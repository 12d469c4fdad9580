-- A row is a file × county: the file carries rows of that county's townships, of so many of them.
-- Must hold: every file with a row of a township stands here.
{{ config(alias='submission_units') }}

with told as (
    select submission_id, township_code from {{ ref('reported_population') }}
    union all
    select submission_id, township_code from {{ ref('reported_budget') }}
    union all
    select submission_id, township_code from {{ ref('reported_staffing') }}
),

townships as (
    select submission_id, township_code from told
    group by submission_id, township_code
),

final as (
    select
        cast(submission_id as string) as submission_id,
        cast(substr(township_code, 1, 6) as string) as county_code,
        cast(count(*) as bigint) as townships_count
    from townships
    group by submission_id, substr(township_code, 1, 6)
)

select * from final
order by submission_id, county_code
