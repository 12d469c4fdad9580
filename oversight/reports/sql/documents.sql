-- A row is a document that the report's figures rest on, with the clauses they rest on.
-- Must hold: one row a document; a clause once.
with cited as (
    select document_id, clause, min(standard_id) as place
    from standards
    where standard_id in (select standard_id from r_used_rules)
    group by document_id, clause
),

clauses as (
    select document_id, string_agg(clause, '、' order by place asc) as clauses
    from cited
    group by document_id
),

final as (
    select d.*, c.clauses
    from policy_documents as d
    inner join clauses as c on d.document_id = c.document_id
)

select * from final order by document_id
