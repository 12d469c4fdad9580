-- A row is a figure of the month that is used though something is odd about it.
-- Must hold: figures of the scope's subjects only.
select distinct
    'doubt' as kind, u.subject_name as name, u.county_name, x.message_zh, '' as what_to_do_zh, s.file_name,
    x.sheet, x.row_number
from quality.suite_flags as x
inner join r_subjects as u on x.subject_code = u.subject_code
left join submissions as s on x.submission_id = s.submission_id
where x.kind = 'doubt' and x.month = $month
order by kind, name, u.county_name, x.message_zh, what_to_do_zh, s.file_name, x.sheet, x.row_number
