{# Prefix of a division code without the trailing pairs of zeros: 360000 → 36, 000000 → '' (whole country). #}
{% macro scope_prefix(code) -%}
    case
        when length({{ code }}) = 6 and substr({{ code }}, 1, 6) = '000000' then ''
        when length({{ code }}) = 6 and substr({{ code }}, 3, 4) = '0000' then substr({{ code }}, 1, 2)
        when length({{ code }}) = 6 and substr({{ code }}, 5, 2) = '00' then substr({{ code }}, 1, 4)
        else {{ code }}
    end
{%- endmacro %}

{# Rows of counties (column county_code) once for each level that adds them up: unit_level, unit_code, and the row. #}
{% macro at_every_level(counties) -%}
    select 'county' as unit_level, c.county_code as unit_code, c.* from {{ counties }} as c
    union all
    select 'city' as unit_level, substr(c.county_code, 1, 4) || '00' as unit_code, c.* from {{ counties }} as c
    union all
    select 'province' as unit_level, substr(c.county_code, 1, 2) || '0000' as unit_code, c.* from {{ counties }} as c
    union all
    select 'country' as unit_level, '000000' as unit_code, c.* from {{ counties }} as c
{%- endmacro %}
