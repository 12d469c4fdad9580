-- A row is a township × month in force: what it is guaranteed, allotted, paid, and what is missing.
-- Must hold: the highest of the guarantees in force binds; an unknown amount is null, never zero.
{{ config(
    materialized='incremental', on_schema_change='fail',
    pre_hook="{{ forget(anew('month')) }}"
) }}
with ranked as (
    select
        f.*,
        cast(row_number() over (
            partition by f.township_code, f.month
            order by f.guaranteed_annual_cny desc nulls last, f.standard_id asc nulls last
        ) as bigint) as choice,
        cast(count(*) over (partition by f.township_code, f.month) as bigint) as standards_count,
        min(f.standard_id) over (partition by f.township_code, f.month) as first_standard_id,
        max(f.standard_id) over (partition by f.township_code, f.month) as last_standard_id
    from {{ ref('int_funding_by_standard') }} as f
    where {{ anew('f.month') }}
),

binding as (
    select * from ranked where choice = 1
),

joined as (
    select
        m.township_code, m.township_name, m.county_code, m.month, m.fiscal_year,
        coalesce(county.division_name, m.county_code) as county_name,
        g.standard_id,
        case
            when g.standards_count > 1 then
                case when g.standard_id = g.first_standard_id then g.last_standard_id else g.first_standard_id end
        end as also_standard_id,
        g.tier_label,
        coalesce(g.population_basis, p.population_basis) as population_basis,
        case when g.standard_id is null then p.population_persons else g.population_persons end
            as population_persons,
        case when g.standard_id is null then p.population_month else g.population_month end as population_month,
        case when g.standard_id is null then p.population_township_code else g.population_township_code end
            as population_township_code,
        case when g.standard_id is null then p.population_is_fallback else g.population_is_fallback end
            as population_is_fallback,
        coalesce(g.is_on_tier_edge, false) as is_on_tier_edge,
        g.other_tier_label,
        g.other_annual_cny,
        g.guaranteed_annual_cny,
        g.guaranteed_ytd_cny,
        b.allocated_annual_cny, b.disbursed_ytd_cny, b.spent_ytd_cny
    from {{ ref('int_township_months') }} as m
    left join binding as g on m.township_code = g.township_code and m.month = g.month
    left join {{ ref('int_township_budget') }} as b on m.township_code = b.township_code and m.month = b.month
    left join {{ ref('int_unit_year_population') }} as p
        on
            m.unit_id = p.unit_id
            and m.fiscal_year = p.fiscal_year
            and p.population_basis = 'registered'
    left join {{ ref('int_units') }} as county on m.county_code = county.division_code
    where {{ anew('m.month') }}
),

final as (
    select
        cast(township_code as varchar) as township_code,
        cast(township_name as varchar) as township_name,
        cast(county_code as varchar) as county_code,
        cast(county_name as varchar) as county_name,
        cast(month as date) as month,
        cast(fiscal_year as bigint) as fiscal_year,
        cast(standard_id as varchar) as standard_id,
        cast(also_standard_id as varchar) as also_standard_id,
        cast(tier_label as varchar) as tier_label,
        cast(population_basis as varchar) as population_basis,
        cast(population_persons as bigint) as population_persons,
        cast(population_month as date) as population_month,
        cast(population_township_code as varchar) as population_township_code,
        cast(population_is_fallback as boolean) as population_is_fallback,
        cast(is_on_tier_edge as boolean) as is_on_tier_edge,
        cast(other_tier_label as varchar) as other_tier_label,
        cast(other_annual_cny as decimal(18, 2)) as other_annual_cny,
        cast(guaranteed_annual_cny as decimal(18, 2)) as guaranteed_annual_cny,
        cast(guaranteed_ytd_cny as decimal(18, 2)) as guaranteed_ytd_cny,
        cast(allocated_annual_cny as decimal(18, 2)) as allocated_annual_cny,
        cast(disbursed_ytd_cny as decimal(18, 2)) as disbursed_ytd_cny,
        cast(spent_ytd_cny as decimal(18, 2)) as spent_ytd_cny,
        cast(case
            when guaranteed_annual_cny >= allocated_annual_cny then guaranteed_annual_cny - allocated_annual_cny
            when guaranteed_annual_cny < allocated_annual_cny then 0
        end as decimal(18, 2)) as allocation_shortfall_cny,
        cast(case
            when allocated_annual_cny >= guaranteed_annual_cny then allocated_annual_cny - guaranteed_annual_cny
            when allocated_annual_cny < guaranteed_annual_cny then 0
        end as decimal(18, 2)) as allocation_surplus_cny,
        cast(case
            when guaranteed_ytd_cny >= disbursed_ytd_cny then guaranteed_ytd_cny - disbursed_ytd_cny
            when guaranteed_ytd_cny < disbursed_ytd_cny then 0
        end as decimal(18, 2)) as disbursement_shortfall_ytd_cny,
        {{ from_fen(divide_half_up(
            to_fen('allocated_annual_cny') ~ ' * 10000',
            to_fen('guaranteed_annual_cny'))) }} as adequacy_pct,
        cast(case
            when standard_id is null then 'no_standard'
            when population_persons is null or allocated_annual_cny is null then 'not_reported'
            when guaranteed_annual_cny > allocated_annual_cny then 'short'
            else 'met'
        end as varchar) as status
    from joined
)

select * from final
order by fiscal_year, township_code, month
