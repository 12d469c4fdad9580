-- A row is a file received; a second copy of known content has a row of its own, with no rows read.
-- Must hold: rows read = accepted + held + rejected + ignored.
with final as (
    select
        cast(submission_id as string) as submission_id,
        cast(file_name as string) as file_name,
        cast(sha256 as string) as sha256,
        cast(dataset as string) as dataset,
        cast(received_at as timestamp) as received_at,
        cast(month_from as date) as month_from,
        cast(month_to as date) as month_to,
        cast(rows_read as bigint) as rows_read,
        cast(rows_accepted as bigint) as rows_accepted,
        cast(rows_held as bigint) as rows_held,
        cast(rows_rejected as bigint) as rows_rejected,
        cast(rows_ignored as bigint) as rows_ignored,
        cast(status as string) as status,
        cast(is_correction as boolean) as is_correction,
        cast(filed_on as date) as filed_on,
        cast(error_code as string) as error_code,
        cast(message_zh as string) as message_zh,
        cast(what_to_do_zh as string) as what_to_do_zh
    from {{ source('inputs', 'submissions') }}
)

select * from final
order by submission_id
