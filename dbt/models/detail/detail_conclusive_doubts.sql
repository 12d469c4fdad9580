-- A row is a township × month × kind of doubt that changes, or may change, what is concluded of its money.
-- Must hold: a doubt that leaves the conclusion as it is does not stand here.
{{ config(alias='conclusive_doubts') }}
with told as (
    select r.township_code, r.month, r.figure, r.figure_zh, r.value_a, r.value_b, r.used_source_name,
        case when r.used_source = r.source_a then r.value_a else r.value_b end as used,
        case when r.used_source = r.source_a then r.value_b else r.value_a end as other
    from {{ ref('reconciliation') }} as r
),

paid as (
    select f.township_code, f.month, any_value(t.figure_zh) as figure_zh, any_value(t.used_source_name) as used_name,
        any_value(f.disbursed_ytd_cny) as paid, sum(t.other - t.used) as apart,
        any_value(f.guaranteed_ytd_cny) as guaranteed
    from {{ ref('funding_gap_monthly') }} as f
    inner join told as t
        on f.township_code = t.township_code
        and date_part('year', t.month) = f.fiscal_year
        and t.month <= f.month
        and t.figure = 'disbursed_month_cny'
    group by f.township_code, f.month
),

held as (
    select township_code, month from {{ ref('reported_population') }} where row_status = 'held'
    union
    select township_code, month from {{ ref('reported_budget') }} where row_status = 'held'
),

found as (
    select
        township_code, month, 'edge' as kind,
        other_annual_cny as amount, other_tier_label as word
    from {{ ref('funding_gap_monthly') }}
    where is_on_tier_edge and status in ('met', 'short')
        and (allocated_annual_cny < other_annual_cny) <> (status = 'short')
    union all
    select township_code, month, 'tier' as kind, null as amount, null as word
    from (
        select township_code, month from {{ ref('funding_gap_monthly') }} where is_tier_uncertain
        union
        select township_code, month from {{ ref('staffing_gap_monthly') }} where is_tier_uncertain
    ) as uncertain
    union all
    select township_code, month, 'precision' as kind,
        guaranteed_annual_cny - allocated_annual_cny as amount, null as word
    from {{ ref('funding_gap_monthly') }} where is_within_precision
    union all
    select township_code, month, status_reason as kind, null as amount, null as word
    from {{ ref('funding_gap_monthly') }} where status_reason in ('too_coarse', 'stale_population')
    union all
    select township_code, month, 'added' as kind, null as amount, null as word
    from {{ ref('funding_gap_monthly') }} where predecessors_are_added and status in ('met', 'short')
    union all
    select township_code, month, 'sources' as kind, apart as amount, used_name as word
    from paid where (paid < guaranteed) <> (paid + apart < guaranteed)
    union all
    select t.township_code, t.month, 'people' as kind, t.other - t.used as amount, t.used_source_name as word
    from told as t where t.figure = 'population_persons'
    union all
    select township_code, month, 'held' as kind, null as amount, null as word
    from held
),

final as (
    select
        cast(f.township_code as string) as township_code,
        cast(f.month as date) as month,
        cast(f.kind as string) as kind,
        cast(f.amount as decimal(18, 2)) as amount,
        cast(f.word as string) as word,
        cast(t.township_name as string) as township_name,
        cast(t.county_name as string) as county_name
    from found as f
    inner join {{ ref('townships') }} as t on f.township_code = t.township_code
)

select * from final
order by month, township_code, kind, amount, word
