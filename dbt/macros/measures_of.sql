{# The columns of a dataset that carry figures, as its contract has them (`name`, `kind`): oversight/editions/build.py hands
   them over, so that a column added to a contract needs no other place. #}
{% macro measures_of(dataset) -%}
    {%- set handed_over = var("measures", none) -%}
    {%- if handed_over is none and execute and flags.WHICH in ["build", "run"] -%}
        {{ exceptions.raise_compiler_error("请用 oversight run 建立数据模型：各报表的数据列由它给出") }}
    {%- endif -%}
    {{- return((handed_over or {}).get(dataset, [])) -}}
{%- endmacro %}

{# The Chinese title of a column with figures. #}
{% macro title_of(dataset, name) -%}
    {%- for column in measures_of(dataset) if column.name == name -%}{{ column.title }}{%- endfor -%}
{%- endmacro %}
