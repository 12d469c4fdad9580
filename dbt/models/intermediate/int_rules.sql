-- A row is a standard that is judged by a general formula, with its figure and the months a report stays valid.
-- Must hold: plans and benchmarks are here too; only `must` and `principle` can be violated.
with rules as (
    select
        s.standard_id, s.formula, s.subject_level, s.period, s.strength, s.deadline,
        coalesce(s.report_valid_months, 1) as valid_months,
        coalesce(s.decimals, 0) as decimals,
        t.value as least_value,
        t.value_max as most_value,
        coalesce(t.lower_bound, 0) as included_count,
        cast(case when m.measures_count = 1 and m.measure_role = 'value' then 1 else 0 end as bigint) = 1 as is_simple
    from {{ ref('stg_standards') }} as s
    inner join {{ ref('stg_standard_tiers') }} as t on s.standard_id = t.standard_id and t.tier_no = 1
    inner join (
        select standard_id, cast(count(*) as bigint) as measures_count, max(role) as measure_role
        from {{ ref('stg_standard_measures') }}
        group by standard_id
    ) as m on s.standard_id = m.standard_id
    where
        s.gradeable <> 'N'
        and s.formula in (
            'boolean', 'floor', 'exact', 'range', 'frequency', 'name_pattern', 'coverage', 'rate', 'step',
            'floor_by_tier', 'benchmark', 'relative_to_peers', 'coverage_of_units', 'composite', 'amount_by_counts'
        )
),

final as (
    select
        r.*,
        -- One figure that stands until the next report: judged once a report, not once a month. Somebody always owes it.
        r.is_simple and r.period = 'month' and r.subject_level like '%township%'
        and r.formula in ('boolean', 'floor', 'exact', 'range', 'frequency', 'name_pattern') as is_carried
    from rules as r
)

select * from final
