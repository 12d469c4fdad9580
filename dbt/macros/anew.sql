{# A build may go on in the file of the last one (oversight/editions/changes.py): what lies before the day `since` has
   the same inputs and stays; everything from that day on is made anew. On a first build that is everything. #}

{# Whether the month of a row is made anew. #}
{% macro anew(month) -%}
    {{ month }} >= date '{{ var("since", "0001-01-01") }}'
{%- endmacro %}

{# Whether a row's fiscal year is made anew; the day always begins one. #}
{% macro anew_year(year) -%}
    {{ year }} >= {{ var("since", "0001-01-01")[:4] | int }}
{%- endmacro %}

{# Hook of an incremental model: the rows that will be made anew leave first. A build goes on in a whole file or not at all. #}
{% macro forget(condition) -%}
    {%- if is_incremental() -%}
        delete from {{ this }} where {{ condition }}
    {%- elif execute and var("since", "0001-01-01") > "0001-01-01" -%}
        {{ exceptions.raise_compiler_error("没有可以接着算的表 " ~ this) }}
    {%- endif -%}
{%- endmacro %}
