-- A row is a figure that two sources tell differently, with the place of each in words.
-- Must hold: nothing is compared here.
select
    r.*,
    concat_ws(
        ' ', r.file_name_a, case when r.sheet_a is not null then '“' || r.sheet_a || '”' end,
        '第' || r.row_number_a || '行'
    ) as place_a,
    concat_ws(
        ' ', r.file_name_b, case when r.sheet_b is not null then '“' || r.sheet_b || '”' end,
        '第' || r.row_number_b || '行'
    ) as place_b
from e.reconciliation as r
