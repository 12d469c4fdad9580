create temp table judged as
select
    r.rowid + 2 as row_number, try_cast(r.统计月份 || '-01' as date) as month, d.division_code as township_code,
    r.区划代码 as reported_code, r.乡镇名称 as reported_name,
    try_cast("户籍户数(户)" as bigint) as households_count,
    try_cast("户籍人口(人)" as bigint) as population_persons, places("户籍人口(人)") as population_persons_precision,
    try_cast("出生人口(人)" as bigint) as births_persons, places("出生人口(人)") as births_persons_precision,
    try_cast("死亡人口(人)" as bigint) as deaths_persons, places("死亡人口(人)") as deaths_persons_precision,
    try_cast("迁入人口(人)" as bigint) as moved_in_persons, places("迁入人口(人)") as moved_in_persons_precision,
    try_cast("迁出人口(人)" as bigint) as moved_out_persons, places("迁出人口(人)") as moved_out_persons_precision,
    try_cast("常住人口(人)" as bigint) as resident_population_persons,
    places("常住人口(人)") as resident_population_persons_precision,
    case when month is null then 'bad_month' when d.division_code is null then 'unknown_unit'
        when population_persons is null then 'missing_value'
        when is_bad("户籍户数(户)", households_count, 1_000_000) or is_bad("户籍人口(人)", population_persons, 2_000_000)
            or is_bad("出生人口(人)", births_persons, 20_000) or is_bad("死亡人口(人)", deaths_persons, 20_000)
            or is_bad("迁入人口(人)", moved_in_persons, 200_000) or is_bad("迁出人口(人)", moved_out_persons, 200_000)
            or is_bad("常住人口(人)", resident_population_persons, 2_000_000)
            or population_persons = 0 and households_count > 0 then 'bad_value' end as error_code
from read as r left join reported.divisions as d on r.区划代码 = d.division_code and length(d.division_code) = 9;
