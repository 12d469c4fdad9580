{# A model's schema is exactly the one it names, so that the published file has `main` and not `main_main`. #}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ (custom_schema_name or target.schema) | trim }}
{%- endmacro %}
