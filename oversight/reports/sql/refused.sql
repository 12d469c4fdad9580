-- A row is a row of a report that was held or refused, with its place and what is wrong with it.
-- Must hold: a row of a form that names a unit and nothing else is a report that did not come, told as such elsewhere.
with rows_held as (
    select submission_id, sheet, row_number, month, township_code from reported.population where row_status = 'held'
    union all
    select submission_id, sheet, row_number, month, township_code from reported.budget where row_status = 'held'
    union all
    select submission_id, sheet, row_number, month, township_code from reported.staffing where row_status = 'held'
),

counties as (
    select distinct county_code, county_name from r_townships
),

final as (
    select
        'held' as kind, t.township_name as name, t.county_name, x.message_zh, x.what_to_do_zh, s.file_name,
        h.sheet, h.row_number
    from rows_held as h
    inner join r_townships as t on h.township_code = t.township_code
    inner join submissions as s on h.submission_id = s.submission_id
    inner join rejected_rows as x
        on
            h.submission_id = x.submission_id and h.row_number = x.row_number
            and h.sheet is not distinct from x.sheet and x.disposition = 'held'
    where h.month = $month
    union all
    select distinct
        'rejected' as kind, '' as name, c.county_name, x.message_zh, x.what_to_do_zh, f.file_name,
        x.sheet, x.row_number
    from rejected_rows as x
    inner join r_files as f on x.submission_id = f.submission_id
    inner join counties as c on f.county_code = c.county_code
    where
        x.disposition = 'rejected' and x.error_code <> 'R07' and f.month_from <= $month and f.month_to >= $month
)

select * from final order by kind, name, county_name, message_zh, what_to_do_zh, file_name, sheet, row_number
