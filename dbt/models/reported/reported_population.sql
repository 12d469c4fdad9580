-- A row is a figure for a township and month as one file gave it; every version stays, with file, sheet and row.
-- Must hold: at most one row a key is current, and a held row never is.
{{ config(alias='population') }}

with reports as (
    select
        month, township_code, reported_code, reported_name,
        households_count, population_persons, births_persons, deaths_persons,
        moved_in_persons, moved_out_persons, resident_population_persons,
        submission_id, sheet, row_number, row_status, doubts, precedence
    from {{ source('inputs', 'population') }}
),

final as (
    select
        s.*,
        s.row_status = 'accepted' and row_number() over (
            partition by s.month, s.township_code, s.row_status
            order by
                s.precedence desc nulls last, s.submission_id asc nulls last,
                s.sheet asc nulls last, s.row_number desc nulls last
        ) = 1 as is_current
    from reports as s
)

select * from final
