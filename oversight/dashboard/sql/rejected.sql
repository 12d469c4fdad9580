-- A row is something wrong with a row that was refused or held, with its file.
-- Must hold: one row a fault.
select r.*, s.file_name
from e.rejected_rows as r
left join e.submissions as s on r.submission_id = s.submission_id
