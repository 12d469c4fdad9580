-- A row is a township of the scope × file that its figures of the month come from.
-- Must hold: the people of the year before, the money of the year, the staff of the month.
with used as (
    select township_code, submission_id
    from reported.population
    where is_current and month between date_trunc('year', $month) - interval 12 month and $month
    union
    select township_code, submission_id
    from reported.budget
    where is_current and month between date_trunc('year', $month) and $month
    union
    select township_code, submission_id
    from reported.staffing
    where is_current and month = $month
),

final as (
    select distinct u.township_code, s.sha256, s.file_name
    from used as u
    inner join r_townships as t on u.township_code = t.township_code
    inner join submissions as s on u.submission_id = s.submission_id
    where s.status <> 'duplicate'
)

select * from final order by township_code, sha256, file_name
