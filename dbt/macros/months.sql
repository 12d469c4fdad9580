{# Months as whole numbers, so that they can be counted and compared: year × 12 + month − 1. #}
{% macro month_index(day) -%}
    (cast(extract(year from {{ day }}) as bigint) * 12 + cast(extract(month from {{ day }}) as bigint) - 1)
{%- endmacro %}

{# The whole numbers from 1 to 12, as rows of one column `month_number`. #}
{% macro numbers_of_months() -%}
    select cast(1 as bigint) as month_number
    {% for number in range(2, 13) %}
    union all select cast({{ number }} as bigint) as month_number
    {% endfor %}
{%- endmacro %}
