-- A row is a check of the pipeline itself that failed.
-- Must hold: findings about townships and doubts about reports are no such rows.
select suite_title_zh, title_zh, message_zh
from quality.suite_results
where kind = 'blocking' and not success
order by suite_title_zh, title_zh, message_zh
