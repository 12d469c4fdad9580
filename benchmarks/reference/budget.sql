create temp table judged as
select
    r.rowid + 2 as row_number, try_cast(r.统计月份 || '-01' as date) as month, d.division_code as township_code,
    r.区划代码 as reported_code, r.乡镇名称 as reported_name, 'working_funds' as fund_code,
    try_cast("年初预算(元)" as decimal(18, 2)) as initial_budget_cny, places("年初预算(元)") as initial_budget_cny_precision,
    try_cast("本月拨付(元)" as decimal(18, 2)) as disbursed_month_cny, places("本月拨付(元)") as disbursed_month_cny_precision,
    try_cast("累计拨付(元)" as decimal(18, 2)) as disbursed_cumulative_cny,
    places("累计拨付(元)") as disbursed_cumulative_cny_precision,
    try_cast("本月支出(元)" as decimal(18, 2)) as spent_month_cny, places("本月支出(元)") as spent_month_cny_precision,
    try_cast("累计支出(元)" as decimal(18, 2)) as spent_cumulative_cny, places("累计支出(元)") as spent_cumulative_cny_precision,
    case 是否单独列支 when '是' then true when '否' then false end as is_listed_separately,
    case when month is null then 'bad_month' when d.division_code is null then 'unknown_unit'
        when is_listed_separately is null and written(是否单独列支) is not null
            or is_bad("年初预算(元)", initial_budget_cny, 200_000_000)
            or is_bad("本月拨付(元)", abs(disbursed_month_cny), 200_000_000)
            or is_bad("累计拨付(元)", disbursed_cumulative_cny, 200_000_000)
            or is_bad("本月支出(元)", abs(spent_month_cny), 200_000_000)
            or is_bad("累计支出(元)", spent_cumulative_cny, 200_000_000) then 'bad_value' end as error_code
from read as r left join reported.divisions as d on r.区划代码 = d.division_code and length(d.division_code) = 9;
