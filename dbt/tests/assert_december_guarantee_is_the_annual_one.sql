-- The guarantee of the twelve months is the annual guarantee to the 分.
select township_code, month
from {{ ref('funding_gap_monthly') }}
where {{ anew('month') }} and extract(month from month) = 12 and guaranteed_ytd_cny <> guaranteed_annual_cny
