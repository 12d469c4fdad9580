-- Only what is in no other table: reports that never came, and people in post beyond the posts there are.
insert into quality.suite_flags by name
with found as (
    select dataset as suite, dataset || '_reported_every_month' as expectation, township_code as subject_code, month,
        '未报送' as value, '1 份' as expected, null as submission_id, null as row_number,
        '未报送' || case dataset when 'population' then '户籍人口' when 'budget' then '民政工作经费' else '民政工作人员' end as told
    from detail.submission_status where state = 'missing'
    union all
    select 'staffing', 'staffing_dedicated_within_posts', township_code, month, cast(dedicated_staff_persons as varchar),
        '不大于 ' || administrative_posts + institution_posts, submission_id, row_number,
        '在编在岗专职 ' || dedicated_staff_persons || ' 人，多于编制 ' || administrative_posts + institution_posts || ' 名'
    from reported.staffing where is_current and dedicated_staff_persons > administrative_posts + institution_posts
)
select f.* exclude (told), 'doubt' as kind,
    township_name || '（' || subject_code || '）' || year(month) || '年' || month(month) || '月：' || told as message_zh
from found as f join main.townships as t on f.subject_code = t.township_code
order by subject_code, month, suite, expectation;
