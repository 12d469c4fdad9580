-- A row is what was recorded on a finding: a notice, a reply, an agreed date, an exemption, a closing.
-- Must hold: no note is lost; one whose finding now opens in another month follows the spell that holds its month.
{{ config(alias='finding_notes', tags=['nationwide']) }}

with notes as (
    select
        n.*,
        substr(n.finding_id, 1, length(n.finding_id) - 8) as rule_and_unit,
        cast(substr(n.finding_id, length(n.finding_id) - 6, 7) || '-01' as date) as finding_month
    from {{ source('inputs', 'finding_notes') }} as n
),

matched as (
    select n.note_no, max(f.finding_id) as current_finding_id
    from notes as n
    inner join {{ ref('int_findings') }} as f
        on
            n.rule_and_unit = f.rule_id || '/' || f.subject_unit
            and f.opened_month <= n.finding_month
            and f.last_month >= n.finding_month
    group by n.note_no
),

final as (
    select
        cast(n.note_no as bigint) as note_no,
        cast(n.finding_id as string) as finding_id,
        cast(m.current_finding_id as string) as current_finding_id,
        cast(n.kind as string) as kind,
        cast(n.recorded_on as date) as recorded_on,
        cast(n.text_zh as string) as text_zh,
        cast(n.agreed_on as date) as agreed_on,
        cast(n.exempt_until as date) as exempt_until,
        cast(n.approver as string) as approver,
        cast(n.recorded_by as string) as recorded_by,
        cast(n.owner as string) as owner,
        cast(n.attachments as string) as attachments,
        cast(n.action_id as string) as action_id,
        cast(n.acted_at as string) as acted_at,
        cast(n.file_name as string) as file_name
    from notes as n
    left join matched as m on n.note_no = m.note_no
)

select * from final
order by note_no
