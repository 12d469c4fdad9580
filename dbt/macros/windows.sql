{# The latest value that is not null, up to the current row of the window. #}
{% macro last_known(expression, partition_by, order_by) -%}
    {{ adapter.dispatch('last_known')(expression, partition_by, order_by) }}
{%- endmacro %}

{% macro default__last_known(expression, partition_by, order_by) -%}
    last_value({{ expression }}, true) over (
        partition by {{ partition_by }} order by {{ order_by }} asc nulls first
        rows between unbounded preceding and current row)
{%- endmacro %}

{% macro duckdb__last_known(expression, partition_by, order_by) -%}
    last_value({{ expression }} ignore nulls) over (
        partition by {{ partition_by }} order by {{ order_by }} asc nulls first
        rows between unbounded preceding and current row)
{%- endmacro %}
