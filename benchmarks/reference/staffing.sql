create temp table judged as
select
    r.rowid + 2 as row_number, try_cast(r.统计月份 || '-01' as date) as month, d.division_code as township_code,
    r.区划代码 as reported_code, r.乡镇名称 as reported_name,
    try_cast("行政编制数(名)" as bigint) as administrative_posts, try_cast("事业编制数(名)" as bigint) as institution_posts,
    try_cast("在编在岗专职人数(人)" as bigint) as dedicated_staff_persons,
    try_cast("公益性岗位人数(人)" as bigint) as welfare_posts_persons,
    try_cast("政府购买服务人数(人)" as bigint) as purchased_service_persons,
    try_cast("兼职人数(人)" as bigint) as part_time_persons, try_cast("村(社区)数(个)" as bigint) as villages_count,
    try_cast("已配备协理员村(社区)数(个)" as bigint) as villages_with_assistant_count,
    case when month is null then 'bad_month' when d.division_code is null then 'unknown_unit'
        when dedicated_staff_persons is null then 'missing_value'
        when is_bad("行政编制数(名)", administrative_posts, 500) or is_bad("事业编制数(名)", institution_posts, 500)
            or is_bad("在编在岗专职人数(人)", dedicated_staff_persons, 500)
            or is_bad("公益性岗位人数(人)", welfare_posts_persons, 500)
            or is_bad("政府购买服务人数(人)", purchased_service_persons, 500)
            or is_bad("兼职人数(人)", part_time_persons, 500) or is_bad("村(社区)数(个)", villages_count, 500)
            or is_bad("已配备协理员村(社区)数(个)", villages_with_assistant_count, 500)
            or villages_with_assistant_count > villages_count then 'bad_value' end as error_code
from read as r left join reported.divisions as d on r.区划代码 = d.division_code and length(d.division_code) = 9;
