-- A row is a period that ends in the months of the data: month, quarter, half-year, year, two years.
-- Must hold: a period is owed when its last month is there; two years only when all of them are.
with months as (
    select
        month, last_day,
        fiscal_year * 12 + month_number - 1 as month_index,
        month_number
    from {{ ref('int_months') }}
),

lengths as (
    select 'month' as period, 1 as months_count, 1 as every
    union all
    select 'quarter' as period, 3 as months_count, 3 as every
    union all
    select 'half_year' as period, 6 as months_count, 6 as every
    union all
    select 'year' as period, 12 as months_count, 12 as every
    union all
    select 'two_years' as period, 24 as months_count, 12 as every
),

first_month as (
    select min(month_index) as month_index from months
),

final as (
    select
        l.period, m.month, m.last_day,
        cast(l.months_count as bigint) as months_count,
        m.month_index as end_index,
        m.month_index - l.months_count + 1 as start_index
    from months as m
    inner join lengths as l on mod(m.month_number, cast(l.every as bigint)) = 0
    cross join first_month as f
    where l.period <> 'two_years' or m.month_index - l.months_count + 1 >= f.month_index
)

select * from final
