-- A row is a row of a file that was refused, or held until somebody confirms it.
-- Must hold: each says where, what, why, and what to do.
with final as (
    select
        cast(submission_id as string) as submission_id,
        cast(sheet as string) as sheet,
        cast(row_number as bigint) as row_number,
        cast(column_title as string) as column_title,
        cast(value as string) as value,
        cast(error_code as string) as error_code,
        cast(message_zh as string) as message_zh,
        cast(what_to_do_zh as string) as what_to_do_zh,
        cast(disposition as string) as disposition
    from {{ source('inputs', 'rejected_rows') }}
)

select * from final
order by submission_id, sheet, row_number, column_title, error_code, value
