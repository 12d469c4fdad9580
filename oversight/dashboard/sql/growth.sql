-- A row is a township × two months: by how much its gap in money grew from one to the other.
-- Must hold: only townships whose gap is known in both months.
select
    a.township_code, a.township_name, a.county_name, a.month, b.month as month_before,
    a.allocation_shortfall_cny, a.adequacy_pct,
    a.allocation_shortfall_cny - b.allocation_shortfall_cny as growth_cny
from e.funding_gap_monthly as a
inner join e.funding_gap_monthly as b on a.township_code = b.township_code
where a.allocation_shortfall_cny is not null and b.allocation_shortfall_cny is not null
