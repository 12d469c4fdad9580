-- A row is a township of the scope × standard: its people in the month, and the clause that asks for them.
-- Must hold: one row a township and standard.
select
    s.*, t.unit_id, t.township_name, t.county_code, t.county_name,
    r.title_zh, r.unit, r.clause, r.matter, r.document_id, r.gradeable, r.strength, r.origin_zh,
    d.document_title, d.force, d.issuer_code
from staffing_gap_monthly as s
inner join r_townships as t on s.township_code = t.township_code
inner join standards as r on s.standard_id = r.standard_id
inner join policy_documents as d on r.document_id = d.document_id
where s.month = $month
