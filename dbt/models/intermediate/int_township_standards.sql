-- A row is a standard that covers a township, with the days from and until which it does.
-- Must hold: only standards whose answer a township itself owes.
{{ config(materialized='view') }}

with final as (
    select
        subject_code as township_code, standard_id, formula, matter,
        effective_from, effective_to, replaced_on
    from {{ ref('int_subject_rules') }}
    where
        subject_level = 'township'
        and formula in (
            'per_capita_by_tier', 'per_capita_marginal', 'flat_by_tier', 'staff_floor', 'staff_range_by_tier',
            'posts_parts', 'village_coverage'
        )
)

select * from final
