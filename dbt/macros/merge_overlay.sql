{# Rows of a seed with a data folder's own rows: an id in the overlay replaces all rows of that id. #}
{% macro merge_overlay(seed, key) -%}
with seed_rows as (
    select * from {{ ref(seed) }}
),

own_rows as (
    select * from {{ source('inputs', 'overlay_' ~ seed) }}
),

final as (
    select s.*
    from seed_rows as s
    where not exists (select 1 from own_rows as o where o.{{ key }} = s.{{ key }})
    union all
    select * from own_rows
)

select * from final
{%- endmacro %}
