-- A row is a standard that the report's figures rest on, with its document.
-- Must hold: one row a standard.
select s.*, d.document_title, d.document_no, d.issuer_name, d.issuer_code, d.force
from standards as s
inner join policy_documents as d on s.document_id = d.document_id
where s.standard_id in (select standard_id from r_used_rules)
order by s.standard_id
