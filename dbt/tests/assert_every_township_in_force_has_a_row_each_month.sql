-- Every township in force in a month has its row in funding_gap_monthly, whether or not it reported.
-- Otherwise a township that never reports would vanish from the count of those that have not.
with owed as (
    select township_code, month from {{ ref('int_township_months') }} where {{ anew('month') }}
),

found as (
    select township_code, month from {{ ref('funding_gap_monthly') }} where {{ anew('month') }}
)

select coalesce(o.township_code, f.township_code) as township_code, coalesce(o.month, f.month) as month
from owed as o
full outer join found as f on o.township_code = f.township_code and o.month = f.month
where o.township_code is null or f.township_code is null
