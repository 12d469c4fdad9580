-- Every row read from a file ends as accepted, held, rejected or ignored.
-- Otherwise a row was lost in silence.
select submission_id, file_name, rows_read
from {{ ref('submissions') }}
where rows_read <> rows_accepted + rows_held + rows_rejected + rows_ignored
