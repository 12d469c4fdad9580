{# A figure as text: money with two decimals, counts with none. #}
{% macro plain_number(value, unit) -%}
    case
        when {{ unit }} like '%元%' then cast(cast({{ value }} as decimal(18, 2)) as varchar)
        else cast(cast({{ value }} as bigint) as varchar)
    end
{%- endmacro %}
