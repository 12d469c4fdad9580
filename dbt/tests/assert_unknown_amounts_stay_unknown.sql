-- A gap is known exactly where the row says met or short; what is unknown is null with its reason, never zero.
select township_code, month
from {{ ref('funding_gap_monthly') }}
where
    {{ anew('month') }}
    and (
        (status in ('met', 'short')) <> (allocation_shortfall_cny is not null)
        or (status = 'short') <> (coalesce(allocation_shortfall_cny, 0) > 0)
        or (status = 'not_reported') <> (status_reason is not null)
        or (status in ('met', 'short') and (guaranteed_annual_cny is null or allocated_annual_cny is null))
        or (status in ('met', 'short')) <> (allocation_surplus_cny is not null)
        or (disbursement_shortfall_ytd_cny is not null and (guaranteed_ytd_cny is null or disbursed_ytd_cny is null))
    )
