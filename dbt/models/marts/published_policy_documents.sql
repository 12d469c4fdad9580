-- A row is a policy document.
-- Must hold: one row an id.
{{ config(alias='policy_documents') }}

with final as (
    select
        cast(d.document_id as varchar) as document_id,
        cast(d.document_title as varchar) as document_title,
        cast(d.document_no as varchar) as document_no,
        cast(d.issuer_name as varchar) as issuer_name,
        cast(d.issuer_code as varchar) as issuer_code,
        cast(d.issuer_level as varchar) as issuer_level,
        cast(d.force as varchar) as force,
        cast(d.issued_on as date) as issued_on,
        cast(d.issued_on_note as varchar) as issued_on_note,
        cast(d.recorded_on as date) as recorded_on,
        cast(d.basis_documents as varchar) as basis_documents,
        cast(d.note as varchar) as note
    from {{ ref('stg_policy_documents') }} as d
)

select * from final
order by document_id
