-- A row is a township × month in force: its rates, its people over all staffing standards, and what it sent.
-- Must hold: somebody short under two standards is missing once; a rate stands only on figures known to the month.
{{ config(
    alias='township_monthly',
    materialized='incremental', on_schema_change='fail',
    pre_hook="{{ forget(anew('month')) }}"
) }}

with funding as (
    select
        township_code, county_code, month,
        case when disbursed_as_of_month = month and not disbursed_is_partial
            then {{ share_pct('disbursed_ytd_cny', 'guaranteed_ytd_cny') }} end as disbursed_pct,
        case
            when
                disbursed_as_of_month = month and not disbursed_is_partial
                and spent_as_of_month = month and not spent_is_partial
                then {{ share_pct('spent_ytd_cny', 'disbursed_ytd_cny') }}
        end as spent_pct
    from {{ ref('funding_gap_monthly') }}
    where {{ anew('month') }}
),

-- The larger of the two shortfalls counts.
staffing as (
    select
        township_code, month,
        max(shortfall_persons) as staff_shortfall_persons,
        max(excess_persons) as staff_excess_persons,
        max(required_min_persons) as staff_required_persons,
        max(case when status = 'short' then 1 else 0 end) as is_short,
        max(case when status = 'not_reported' then 1 else 0 end) as is_silent
    from {{ ref('staffing_gap_monthly') }}
    where {{ anew('month') }}
    group by township_code, month
),

sent as (
    select
        township_code, month,
        {% for dataset in ['population', 'budget', 'staffing'] %}
        max(case when dataset = '{{ dataset }}' then status end) as {{ dataset }}_status,
        max(case when dataset = '{{ dataset }}' then told end) as {{ dataset }}_told,
        {% endfor %}
        sum(case when status in ('on_time', 'late', 'undated', 'corrected') then 1 else 0 end) as sent_count,
        max(case when is_late then 1 else 0 end) as is_late
    from {{ ref('detail_submission_status') }}
    where {{ anew('month') }}
    group by township_code, month
),

final as (
    select
        cast(f.township_code as string) as township_code,
        cast(f.county_code as string) as county_code,
        cast(f.month as date) as month,
        cast(f.disbursed_pct as decimal(18, 2)) as disbursed_pct,
        cast(f.spent_pct as decimal(18, 2)) as spent_pct,
        cast(case
            when s.township_code is null then 'no_standard'
            when s.is_short = 1 then 'short'
            when s.staff_excess_persons > 0 then 'over'
            when s.is_silent = 1 then 'not_reported'
            else 'met'
        end as string) as staff_status,
        cast(s.staff_shortfall_persons as bigint) as staff_shortfall_persons,
        cast(s.staff_excess_persons as bigint) as staff_excess_persons,
        cast(s.staff_required_persons as bigint) as staff_required_persons,
        coalesce(s.is_silent = 1, false) as staff_is_silent,
        cast(r.population_status as string) as population_status,
        cast(r.budget_status as string) as budget_status,
        cast(r.staffing_status as string) as staffing_status,
        cast(r.population_told as string) as population_told,
        cast(r.budget_told as string) as budget_told,
        cast(r.staffing_told as string) as staffing_told,
        cast(r.sent_count as bigint) as sent_count,
        coalesce(r.is_late = 1, false) as is_late
    from funding as f
    left join staffing as s on f.township_code = s.township_code and f.month = s.month
    left join sent as r on f.township_code = r.township_code and f.month = r.month
)

select * from final
order by extract(year from month), township_code, month
