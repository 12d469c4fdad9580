-- A row is a unit × month: what closed money findings moved in the year up to it.
-- Must hold: a month in which none was closed stands there too.
select
    u.unit_level, u.unit_code, u.month, u.units_count,
    m.* exclude (unit_level, unit_code, month, closed_money_count),
    coalesce(m.closed_money_count, 0) as closed_money_count
from e.detail.unit_monthly as u
left join e.detail.unit_moved_monthly as m
    on u.unit_level = m.unit_level and u.unit_code = m.unit_code and u.month = m.month
