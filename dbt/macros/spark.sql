{# What dbt's adapter for Spark does otherwise than these models need it. DuckDB never asks for any of this. #}

{# Contracts and seeds name a text `varchar`, as the published file does; Spark knows it only with a length. #}
{% macro spark_type(name) -%}
    {{- return('string' if (name | lower) == 'varchar' else name) -}}
{%- endmacro %}

{# The types that a contract asks for. Of a Parquet file nobody can ask that a column is never empty: that is held when the
   tables come into the build file (oversight/editions/spark.py). #}
{% macro spark__get_empty_schema_sql(columns) -%}
    select
    {%- for name in columns %}
        cast(null as {{ spark_type(columns[name]['data_type']) }}) as {{ name }}{{ ',' if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{% macro spark__persist_constraints(relation, model) %}
{% endmacro %}

{% macro spark__file_format_clause() %}
    using parquet
{%- endmacro %}

{# An empty cell is null; the adapter writes it as the text None. #}
{% macro spark__load_csv_rows(model, agate_table) -%}
    {%- set types = model['config'].get('column_types', {}) -%}
    {%- set sql -%}
        insert into {{ this }} values
        {%- for row in agate_table.rows %}
        (
            {%- for cell in row -%}
            cast(
                {%- if cell is none -%} null
                {%- else -%} '{{ cell | string | replace("\\", "\\\\") | replace("'", "\\'") }}'
                {%- endif %} as {{ spark_type(types[agate_table.column_names[loop.index0]]) }}){{ ', ' if not loop.last }}
            {%- endfor -%}
        ){{ ',' if not loop.last }}
        {%- endfor %}
    {%- endset -%}
    {%- do adapter.add_query(sql, abridge_sql_log=True) -%}
    {{- return(sql) -}}
{%- endmacro %}

{% macro spark__create_csv_table(model, agate_table) -%}
    {%- set types = model['config'].get('column_types', {}) -%}
    {%- set sql -%}
        create table {{ this }} (
            {%- for name in agate_table.column_names %}
            {{ name }} {{ spark_type(types[name]) }}{{ ',' if not loop.last }}
            {%- endfor %}
        )
        using parquet
    {%- endset -%}
    {%- call statement('_') -%}{{ sql }}{%- endcall -%}
    {{- return(sql) -}}
{%- endmacro %}

{# Of days only, and null where the day is null; the adapter goes by way of times and refuses nulls. #}
{% macro spark__dateadd(datepart, interval, from_date_or_timestamp) -%}
    {%- if datepart == 'day' -%}
    date_add({{ from_date_or_timestamp }}, {{ interval }})
    {%- elif datepart == 'month' -%}
    add_months({{ from_date_or_timestamp }}, {{ interval }})
    {%- else -%}
    {{ exceptions.raise_compiler_error("dateadd: day or month, not " ~ datepart) }}
    {%- endif -%}
{%- endmacro %}

{% macro spark__last_day(date, datepart) -%}
    {%- if datepart != 'month' -%}{{ exceptions.raise_compiler_error("last_day: of a month") }}{%- endif -%}
    last_day({{ date }})
{%- endmacro %}

{# In order, as the other engine lists; the adapter leaves the order to chance. #}
{% macro spark__listagg(measure, delimiter_text, order_by_clause, limit_num) -%}
    listagg({{ measure }}, {{ delimiter_text }}) within group ({{ order_by_clause }})
{%- endmacro %}

{# A table as Parquet. Spark writes out every name after `with` wherever it is used, so that a model of many steps becomes
   a plan of thousands of joins that it takes minutes to think about: what is used more than once is stored first. The
   models are laid out so that each step begins and ends at the edge of the line. #}
{% macro spark__create_table_as(temporary, relation, compiled_code, language='sql') -%}
    {%- if config.get('contract').enforced -%}
        {%- do get_assert_columns_equivalent(compiled_code) -%}
    {%- endif -%}
    create table {{ relation }} using parquet as
    {{ with_steps_stored(relation, compiled_code) }}
{%- endmacro %}

{% macro with_steps_stored(relation, code) -%}
    {%- set step = modules.re.compile("^(?:with )?([a-z_0-9]+) as \\(\n(.*?)\n\\),?$", modules.re.M + modules.re.S) -%}
    {%- set steps, rest = [], modules.re.split("^\\)$", code, flags=modules.re.M) | last -%}
    {%- for name, body in step.findall(code) -%}
        {%- set uses = modules.re.findall("\\b(?:from|join)\\s+" ~ name ~ "\\b", code) | length -%}
        {%- if uses > 1 -%}
            {%- set stored = relation.schema ~ '.' ~ relation.identifier ~ '__' ~ name -%}
            {%- do run_query(
                'create table ' ~ stored ~ ' using parquet as '
                ~ ('with ' ~ steps | join(', ') if steps else '') ~ '\n' ~ body) -%}
            {%- do steps.append(name ~ ' as (select * from ' ~ stored ~ ')') -%}
        {%- else -%}
            {%- do steps.append(name ~ ' as (\n' ~ body ~ '\n)') -%}
        {%- endif -%}
    {%- endfor -%}
    {{- 'with ' ~ steps | join(', ') ~ '\n' ~ rest if steps else code -}}
{%- endmacro %}

{# Nothing stays a view: it would be computed once more for each that reads it. #}
{% materialization view, adapter='spark' -%}
    {%- set stored = this.incorporate(type='table') -%}
    {%- call statement('main') -%}
        {{ create_table_as(False, stored, compiled_code) }}
    {%- endcall -%}
    {{- return({'relations': [stored]}) -}}
{%- endmaterialization %}
