-- A row is a township × month in force: what it reported, and how its people stand.
-- Must hold: one row a township and month, whether or not it reported. `_came` is a code of `REPORT_TOLD`.
select
    t.township_code, t.month,
    t.disbursed_pct, t.spent_pct,
    t.staff_status, t.staff_shortfall_persons, t.staff_excess_persons, t.staff_required_persons, t.staff_is_silent,
    t.population_status, t.budget_status, t.staffing_status,
    t.population_told, t.budget_told, t.staffing_told, t.sent_count, t.is_late,
    t.population_status
    || case when t.population_told in ('nil', 'dash', 'blank') then '/' || t.population_told else '' end
        as population_came,
    t.budget_status
    || case when t.budget_told in ('nil', 'dash', 'blank') then '/' || t.budget_told else '' end as budget_came,
    t.staffing_status
    || case when t.staffing_told in ('nil', 'dash', 'blank') then '/' || t.staffing_told else '' end
        as staffing_came,
    t.population_told in ('nil', 'dash', 'blank')
    or t.budget_told in ('nil', 'dash', 'blank')
    or t.staffing_told in ('nil', 'dash', 'blank') as lacks_a_figure
from e.detail.township_monthly as t
