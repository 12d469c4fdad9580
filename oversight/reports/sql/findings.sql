-- A row is a finding of the scope as it stood at the end of the month, though the edition may know what came after.
-- Must hold: one row a finding; the gravest and what is missing longest first. A finding carries the size of its last
-- answer: of an earlier one it is not known here (null), and the severity is the rule's own.
with units as (
    select subject_code, min(unit_id) as unit_id from r_subjects group by subject_code
),

spells as (
    select
        f.*, u.unit_id,
        case
            when f.cleared_month = $month then 'cleared'
            when f.opened_month = $month then 'new'
            else 'continuing'
        end as kind
    from findings as f
    inner join units as u on f.subject_code = u.subject_code
    where
        f.opened_month <= $month
        and (f.cleared_month is null or f.cleared_month >= $month)
        and not (f.status in ('not_applicable', 'unit_ended', 'superseded') and f.last_month < $month)
),

answers as (
    select
        s.finding_id, j.month, j.status, j.value_checked, j.value_expected, j.shortfall,
        j.subject_name, j.county_name, j.subject_code,
        count(*) over (partition by s.finding_id) as months,
        row_number() over (partition by s.finding_id order by j.month desc, j.subject_code desc) as place
    from spells as s
    inner join r_judged as j
        on
            s.rule_id = j.rule_id and s.subject_level = j.subject_level and s.unit_id = j.unit_id
            and j.month between s.opened_month and least(s.last_month, $month)
),

final as (
    select
        s.finding_id, s.rule_id, s.subject_level, a.subject_code, a.subject_name, a.county_name, s.kind,
        s.opened_month, s.cleared_month, a.months as months_open, a.status, a.month as judged_month,
        a.value_checked, a.value_expected, a.shortfall,
        s.* exclude (
            finding_id, rule_id, subject_level, subject_code, opened_month, cleared_month, months_open, status,
            value_checked, value_expected, shortfall, kind, severity, is_minor
        ),
        case when a.month >= s.last_month then s.severity else coalesce(r.severity, 'medium') end as severity,
        case when a.month >= s.last_month then s.is_minor end as is_minor,
        r.title_zh, r.topic_zh, r.matter, r.formula, r.gradeable, r.strength, r.period, r.origin_zh, d.force,
        d.issuer_code
    from spells as s
    inner join answers as a on s.finding_id = a.finding_id and a.place = 1
    inner join standards as r on s.rule_id = r.standard_id
    inner join policy_documents as d on r.document_id = d.document_id
)

select *
from final
order by
    case severity when 'high' then 1 when 'medium' then 2 else 3 end asc,
    coalesce(shortfall, 0) * months_open desc, rule_id asc, subject_code asc
