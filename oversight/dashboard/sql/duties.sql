-- A row is a duty in force that a subject did not meet, with the month since when; plans, reports and aims are no duties.
-- Must hold: one row a rule, subject and period; what is minor or exempt is marked, and left out by whoever ranks.
select
    j.rule_id, j.subject_level, j.subject_code, j.subject_unit, j.month,
    j.value_checked, j.value_expected, j.shortfall,
    s.unit, s.title_zh, s.matter, s.period,
    f.opened_month,
    -- A finding carries the size of its last answer; what was missing before may have been more.
    coalesce(f.is_minor and j.shortfall <= f.shortfall, false) as is_minor,
    coalesce(f.is_exempt, false) as is_exempt,
    split_part(f.message_zh, '：', 1) as subject_name
from e.judgements as j
inner join e.standards as s on j.rule_id = s.standard_id
inner join e.policy_documents as d on s.document_id = d.document_id
inner join e.findings as f
    on j.rule_id = f.rule_id
    and j.subject_level = f.subject_level
    and j.subject_code = f.subject_code
    and j.subject_unit = split_part(f.finding_id, '/', 2)
    and j.month between f.opened_month and f.last_month
where j.status = 'short'
    and d.force = 'binding' and s.gradeable = 'Y' and s.strength in ('must', 'principle')
