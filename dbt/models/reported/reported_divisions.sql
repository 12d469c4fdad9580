-- A row is a division as one file gave it; every version stays, with file, sheet and row.
-- Must hold: at most one row a key is current, and a held row never is. The columns are those of the contract.
{{ config(alias='divisions') }}

with reports as (
    select * from {{ source('inputs', 'divisions') }}
),

final as (
    select
        s.*,
        s.row_status = 'accepted' and row_number() over (
            partition by s.division_code, s.row_status
            order by
                s.precedence desc nulls last, s.submission_id asc nulls last,
                s.sheet asc nulls last, s.row_number desc nulls last
        ) = 1 as is_current
    from reports as s
)

select * from final
order by division_code, submission_id, sheet, row_number
