-- A row is a policy document.
-- Must hold: one row an id.
{{ config(alias='policy_documents') }}

with final as (
    select
        cast(d.document_id as string) as document_id,
        cast(d.document_title as string) as document_title,
        cast(d.document_no as string) as document_no,
        cast(d.issuer_name as string) as issuer_name,
        cast(d.issuer_code as string) as issuer_code,
        cast(d.issuer_level as string) as issuer_level,
        cast(d.force as string) as force,
        cast(d.issued_on as date) as issued_on,
        cast(d.issued_on_note as string) as issued_on_note,
        cast(d.recorded_on as date) as recorded_on,
        cast(d.basis_documents as string) as basis_documents,
        cast(d.note as string) as note
    from {{ ref('stg_policy_documents') }} as d
)

select * from final
order by document_id
