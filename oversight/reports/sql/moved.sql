-- A row is what the closed money findings of the division moved in the year up to the month.
-- Must hold: one row, or none where none was closed.
select *
from detail.unit_moved_monthly
where unit_level = $level and unit_code = $code and month = $month
