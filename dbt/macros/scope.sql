{# Prefix of a division code without the trailing pairs of zeros: 360000 → 36, 000000 → '' (whole country). #}
{% macro scope_prefix(code) -%}
    case
        when length({{ code }}) = 6 and substr({{ code }}, 1, 6) = '000000' then ''
        when length({{ code }}) = 6 and substr({{ code }}, 3, 4) = '0000' then substr({{ code }}, 1, 2)
        when length({{ code }}) = 6 and substr({{ code }}, 5, 2) = '00' then substr({{ code }}, 1, 4)
        else {{ code }}
    end
{%- endmacro %}
