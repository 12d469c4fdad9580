-- A row is a part of the change from one month to another: townships of a kind, and what they added to each sum.
-- Must hold: the rows of a family add up to the change; nothing is added here.
select
    family, step, units_count as units, guaranteed_change_cny as guaranteed, allocated_change_cny as allocated,
    allocation_shortfall_change_cny as gap
from detail.unit_steps_monthly
where unit_level = $level and unit_code = $code and month = $month and months_back = $months_back
order by family, step
