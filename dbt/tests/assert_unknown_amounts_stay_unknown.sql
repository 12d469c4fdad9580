-- A gap is known exactly where both of its sides are known; what is unknown is null, never zero.
select township_code, month
from {{ ref('funding_gap_monthly') }}
where
    {{ anew('month') }}
    and (
        (allocation_shortfall_cny is null)
        <> (guaranteed_annual_cny is null or allocated_annual_cny is null)
        or (status in ('met', 'short')) <> (allocation_shortfall_cny is not null and standard_id is not null)
        or (status = 'short') <> (coalesce(allocation_shortfall_cny, 0) > 0)
    )
