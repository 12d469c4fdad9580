-- A row is a finding with what its rule is called, and whom it is about.
-- Must hold: one row a finding.
select
    f.*, s.title_zh, s.topic_zh, s.period, t.county_name,
    split_part(f.message_zh, '：', 1) as subject_name
from e.findings as f
inner join e.standards as s on f.rule_id = s.standard_id
left join e.townships as t on substr(f.subject_code, 1, 9) = t.township_code
