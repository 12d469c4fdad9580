insert into reported.{dataset} by name
select * exclude (error_code), '{id}' as submission_id, 'accepted' as row_status, {precedence} as precedence, 'township' as source,
    true as is_latest, true as is_current
from judged where error_code is null order by township_code, month, row_number;
