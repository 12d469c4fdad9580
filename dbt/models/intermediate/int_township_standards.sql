-- A row is a standard that covers a township, with the days from and until which it does.
-- Must hold: a later rule of the same issuer on the same matter ends the earlier one from its date.
with standards as (
    select
        s.standard_id, s.document_id, s.matter, s.formula, s.effective_from, s.effective_to,
        d.issuer_code, d.issuer_level,
        {{ scope_prefix('s.scope_code') }} as scope_prefix
    from {{ ref('stg_standards') }} as s
    inner join {{ ref('stg_policy_documents') }} as d on s.document_id = d.document_id
    where s.subject_level in ('township', 'village') and s.gradeable <> 'N' and s.strength <> 'plan'
),

townships as (
    select division_code as township_code
    from {{ ref('int_units') }}
    where unit_level = 'township' and is_township
),

covered as (
    select t.township_code, s.*
    from townships as t
    inner join standards as s
        on substr(t.township_code, 1, cast(length(s.scope_prefix) as int)) = s.scope_prefix
),

replaced as (
    select earlier.township_code, earlier.standard_id, min(later.effective_from) as replaced_on
    from covered as earlier
    inner join covered as later
        on
            earlier.township_code = later.township_code
            and earlier.issuer_code = later.issuer_code
            and earlier.matter = later.matter
            and earlier.document_id <> later.document_id
            and earlier.effective_from < later.effective_from
    group by earlier.township_code, earlier.standard_id
),

final as (
    select
        c.township_code, c.standard_id, c.formula, c.matter, c.issuer_level,
        c.effective_from, c.effective_to, r.replaced_on
    from covered as c
    left join replaced as r
        on c.township_code = r.township_code and c.standard_id = r.standard_id
)

select * from final
