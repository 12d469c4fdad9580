-- A row is a figure that a standard counts.
-- Must hold: every judged standard has at least one.
{{ config(alias='standard_measures') }}

with final as (
    select * from {{ ref('stg_standard_measures') }}
)

select * from final
order by standard_id, role, part_no
