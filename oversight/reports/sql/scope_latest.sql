-- A row is the answer of a subject to a rule that holds in the month: a quarter's rule is judged once in three months.
-- Must hold: one row a rule, level and unit.
with told as (
    select
        j.*,
        r.title_zh, r.topic_zh, r.clause, r.gradeable, r.strength, r.period, r.document_id, r.origin_zh, r.formula,
        d.force, d.document_title, d.issuer_code,
        row_number() over (
            partition by j.rule_id, j.subject_level, j.unit_id order by j.month desc, j.subject_code desc
        ) as place
    from r_judged as j
    inner join standards as r on j.rule_id = r.standard_id
    inner join policy_documents as d on r.document_id = d.document_id
    where
        datediff('month', j.month, $month)
        < case r.period when 'month' then 1 when 'quarter' then 3 when 'half_year' then 6 else 12 end
),

final as (
    select * exclude (place) from told where place = 1
)

select * from final
