-- A row is a township × month in force: its own money, people, reports and pace of payment.
-- Must hold: one row a township and month, whether or not it reported; `township_reports` is the statement of that name.
select
    f.*,
    f.township_code as code,
    f.township_name as name,
    t.disbursed_pct, t.spent_pct,
    t.staff_status, t.staff_shortfall_persons, t.staff_excess_persons, t.staff_required_persons, t.staff_is_silent,
    t.population_status, t.budget_status, t.staffing_status,
    t.population_told, t.budget_told, t.staffing_told, t.sent_count, t.is_late,
    t.population_came, t.budget_came, t.staffing_came, t.lacks_a_figure,
    p.progress_pct, p.calendar_pct, p.pace
from e.funding_gap_monthly as f
inner join township_reports as t on f.township_code = t.township_code and f.month = t.month
left join e.detail.payment_pace as p on f.township_code = p.township_code and f.month = p.month
