-- A row is an answer with what its rule is called.
-- Must hold: one row a rule, subject and period.
select j.*, s.title_zh, s.topic_zh, s.clause, s.severity, s.document_id
from e.judgements as j
inner join e.standards as s on j.rule_id = s.standard_id
