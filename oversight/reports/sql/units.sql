-- A row is a township of the scope in the month: its money, with the tier and clause it is guaranteed by.
-- Must hold: one row a township, whether or not it reported.
select
    f.*, s.formula, r.value as tier_value, r.unit as tier_unit, s.clause, s.title_zh, s.strength, s.gradeable,
    d.document_title, d.force, d.issuer_code, s.origin_zh
from r_funding as f
left join standards as s on f.standard_id = s.standard_id
left join policy_documents as d on s.document_id = d.document_id
left join standard_tiers as r on f.standard_id = r.standard_id and f.tier_label = r.tier_label
where f.month = $month
order by f.county_code, f.township_code
