-- A row is a county, city, province or the whole country × month: what closed money findings moved in the year so far.
-- Must hold: provision and payment are the same money, a township's larger sum counts; nothing known is null, never zero.
{{ config(alias='unit_moved_monthly', tags=['nationwide']) }}

with counted as (
    select
        township_code, measure, month, moved_cny, begins_with, is_of_two_years,
        extract(year from month) as fiscal_year
    from {{ ref('detail_moved_amounts') }}
    where is_counted_in_totals
),

townships as (
    select
        c.township_code, m.month,
        count(*) as closed_count,
        count(c.moved_cny) as known_count,
        sum(case when c.begins_with = 'notice' then 1 else 0 end) as notified_count,
        sum(case when c.measure = 'allocated' then c.moved_cny end) as allocated_cny,
        sum(case when c.measure = 'disbursed' then c.moved_cny end) as disbursed_cny,
        sum(case when c.month = m.month then 1 else 0 end) as closed_now_count
    from counted as c
    inner join {{ ref('int_months') }} as m on c.fiscal_year = m.fiscal_year and c.month <= m.month
    group by c.township_code, m.month
),

summed as (
    select
        t.*, substr(t.township_code, 1, 6) as county_code,
        case
            when t.allocated_cny is null or t.disbursed_cny > t.allocated_cny then t.disbursed_cny
            else t.allocated_cny
        end as moved_cny
    from townships as t
),

levels as (
    {{ at_every_level('summed') }}
),

final as (
    select
        cast(unit_level as string) as unit_level,
        cast(unit_code as string) as unit_code,
        cast(month as date) as month,
        cast(sum(closed_count) as bigint) as closed_money_count,
        cast(sum(known_count) as bigint) as moved_known_count,
        cast(sum(notified_count) as bigint) as moved_notified_count,
        cast(sum(closed_now_count) as bigint) as closed_money_of_month_count,
        cast(sum(allocated_cny) as decimal(24, 2)) as moved_allocated_ytd_cny,
        cast(sum(disbursed_cny) as decimal(24, 2)) as moved_disbursed_ytd_cny,
        cast(sum(moved_cny) as decimal(24, 2)) as moved_ytd_cny
    from levels
    group by unit_level, unit_code, month
)

select * from final
order by unit_level, unit_code, month
