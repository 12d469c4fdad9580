-- A row is one of the 五有: of how many townships of the scope each state holds, as the roll-up has it.
-- Must hold: townships of which it is asked; nothing is added here.
select
    u.pillar_no, u.pillar_zh, u.asked_units_count as due, u.met_units_count as met, u.short_units_count as short,
    u.silent_units_count as not_reported
from detail.unit_scorecard_monthly as u
where u.unit_level = $level and u.unit_code = $code and u.month = $month and u.asked_units_count > 0
order by u.pillar_no
