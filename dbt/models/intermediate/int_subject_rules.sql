-- A row is a standard that covers a subject, with the days from and until which it does.
-- Must hold: a later rule of the same issuer on the same matter ends the earlier one from its date.
with standards as (
    select
        s.standard_id, s.document_id, s.matter, s.formula, s.period, s.effective_from, s.effective_to,
        -- A rule that a document only passes on is its origin's: the lower office cannot replace it.
        coalesce(s.origin_issuer_code, d.issuer_code) as issuer_code,
        case when r.is_carried then 'carried' when r.standard_id is not null then 'general' else 'own' end as judged_by,
        {{ scope_prefix('s.scope_code') }} as scope_prefix,
        -- Who answers: townships count their villages, counties look over their townships' budgets.
        case
            when s.formula = 'village_coverage' then 'township'
            when s.formula = 'county_listed_separately' then 'county'
            else s.subject_level
        end as judged_levels
    from {{ ref('stg_standards') }} as s
    inner join {{ ref('stg_policy_documents') }} as d on s.document_id = d.document_id
    left join {{ ref('int_rules') }} as r on s.standard_id = r.standard_id
    where s.gradeable <> 'N'
),

covered as (
    select
        j.subject_level, j.subject_code, j.subject_unit, j.county_code, j.valid_from, j.unit_end, s.*
    from {{ ref('int_subjects') }} as j
    inner join standards as s
        on
            substr(j.subject_code, 1, cast(length(s.scope_prefix) as int)) = s.scope_prefix
            and (';' || s.judged_levels || ';') like ('%;' || j.subject_level || ';%')
),

replacing as (
    select earlier.standard_id, later.standard_id as later_id
    from standards as earlier
    inner join standards as later
        on
            earlier.issuer_code = later.issuer_code
            and earlier.matter = later.matter
            and earlier.document_id <> later.document_id
            and earlier.effective_from < later.effective_from
),

replaced as (
    select earlier.subject_level, earlier.subject_code, earlier.standard_id, min(later.effective_from) as replaced_on
    from covered as earlier
    inner join replacing as r on earlier.standard_id = r.standard_id
    inner join covered as later
        on
            r.later_id = later.standard_id
            and earlier.subject_level = later.subject_level
            and earlier.subject_code = later.subject_code
    group by earlier.subject_level, earlier.subject_code, earlier.standard_id
),

final as (
    select
        c.subject_level, c.subject_code, c.subject_unit, c.county_code, c.valid_from, c.unit_end,
        c.standard_id, c.formula, c.judged_by, c.period, c.matter,
        c.effective_from, c.effective_to, r.replaced_on
    from covered as c
    left join replaced as r
        on
            c.subject_level = r.subject_level
            and c.subject_code = r.subject_code
            and c.standard_id = r.standard_id
)

select * from final
