create temp table judged as
select
    rowid + 2 as row_number, written(区划代码) as division_code, written(名称) as division_name,
    written(类型) as division_type, written(上级代码) as parent_code, try_cast(written(启用日期) as date) as valid_from,
    try_cast(written(停用日期) as date) as valid_to, written(变更后代码) as successor_code,
    case when not coalesce(regexp_full_match(written(区划代码), '\d{6}|\d{9}|\d{12}'), false) then 'bad_code'
        when written(名称) is null then 'missing_name' end as error_code
from read;
insert into reported.divisions by name
select * exclude (error_code), '{id}' as submission_id, 'accepted' as row_status, {precedence} as precedence, true as is_current
from judged where error_code is null order by division_code, row_number;
