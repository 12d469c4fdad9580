-- A row is a policy document, with the number of its rules, and of those that are judged.
-- Must hold: a document without a rule stands there too.
with counted as (
    select
        document_id,
        count(*) as rules_count,
        count(case when gradeable in ('Y', 'soft', 'derived') then 1 end) as judged_count
    from e.standards
    group by document_id
),

final as (
    select d.*, coalesce(c.rules_count, 0) as rules_count, coalesce(c.judged_count, 0) as judged_count
    from e.policy_documents as d
    left join counted as c on d.document_id = c.document_id
)

select * from final
