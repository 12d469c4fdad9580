-- A row is one spell in which a subject did not meet a rule, or did not answer, with what was recorded on it.
-- Must hold: a reply, an agreed date or an exemption is shown with the finding and never hides it.
with edition_end as (
    select max(last_day) as last_day from {{ ref('int_months') }}
),

-- An exemption holds until it ends or is taken back: the later of the two notes decides.
named as (
    select
        n.*,
        case when n.kind = 'exemption_end' then 'exemption' else n.kind end as family
    from {{ ref('detail_finding_notes') }} as n
    where n.current_finding_id is not null
),

ranked as (
    select
        n.*,
        cast(row_number() over (
            partition by n.current_finding_id, n.family
            order by n.recorded_on desc nulls last, n.note_no desc nulls last
        ) as bigint) as recency
    from named as n
),

notes as (
    select
        current_finding_id,
        min(case when kind = 'notice' then recorded_on end) as notified_on,
        max(case when kind = 'reply' and recency = 1 then text_zh end) as reply_zh,
        max(case when kind = 'agreed' and recency = 1 then agreed_on end) as agreed_on,
        max(case when kind = 'exemption' and recency = 1 then text_zh end) as exempt_reason_zh,
        max(case when kind = 'exemption' and recency = 1 then approver end) as exempt_approver,
        max(case when kind = 'exemption' and recency = 1 then exempt_until end) as exempt_until,
        cast(count(*) as bigint) as notes_count
    from ranked
    group by current_finding_id
),

final as (
    select
        f.finding_id, f.rule_id, f.subject_level, f.subject_code,
        f.opened_month, f.last_month, f.cleared_month, f.months_open, f.status,
        f.value_checked, f.value_expected, f.shortfall, f.unit, f.source, f.severity, f.is_minor, f.weight,
        f.document_title, f.clause,
        f.message_zh, f.previous_finding_id,
        cast(n.notified_on as date) as notified_on,
        cast(n.reply_zh as string) as reply_zh,
        cast(n.agreed_on as date) as agreed_on,
        cast(
            f.status in ('short', 'not_reported', 'unconfirmed') and coalesce(n.agreed_on < e.last_day, false)
            as boolean
        ) as is_overdue,
        cast(n.exempt_reason_zh is not null and coalesce(n.exempt_until >= e.last_day, true) as boolean) as is_exempt,
        cast(n.exempt_reason_zh as string) as exempt_reason_zh,
        cast(n.exempt_approver as string) as exempt_approver,
        cast(n.exempt_until as date) as exempt_until,
        cast(coalesce(n.notes_count, 0) as bigint) as notes_count
    from {{ ref('int_findings') }} as f
    left join notes as n on f.finding_id = n.current_finding_id
    cross join edition_end as e
)

select * from final
order by subject_code, opened_month, finding_id
