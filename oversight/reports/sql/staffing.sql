-- A row is a standard on people: of how many townships of the scope each answer holds, as the roll-up has it.
-- Must hold: only standards that ask something of somebody; nothing is added here.
select
    u.standard_id, r.title_zh, r.unit, r.clause, r.gradeable, r.strength, d.document_title, d.force, d.issuer_code,
    r.origin_zh, r.matter,
    u.due_count as due, u.met_count as met, u.short_count as short, u.over_count as over,
    u.not_reported_count as not_reported, u.unconfirmed_count as unconfirmed,
    u.shortfall_persons as shortfall, u.partial_count as partial
from detail.unit_staffing_monthly as u
inner join standards as r on u.standard_id = r.standard_id
inner join policy_documents as d on r.document_id = d.document_id
where u.unit_level = $level and u.unit_code = $code and u.month = $month and u.due_count > 0
order by u.standard_id
