-- A row is a rule, in force or not, with its document.
-- Must hold: one row a rule.
select s.*, d.document_title, d.document_no, d.force, d.issuer_name
from e.standards as s
inner join e.policy_documents as d on s.document_id = d.document_id
