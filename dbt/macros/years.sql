{# A long table is written year by year: sorting all its years at once would not fit in memory for the whole country.
   The model itself selects the first year with `in_year(…, years_anew() | first)`; its hook adds those that follow.
   Spark shares a table out among its workers itself, and writes it at once. #}

{# The fiscal years made anew, in order; none where nothing was built yet, as when the project is only read. #}
{% macro years_anew() -%}
    {%- if execute and load_relation(ref('int_months')) -%}
        {%- set found = run_query(
            'select fiscal_year from ' ~ ref('int_months') ~ ' where ' ~ anew('month')
            ~ ' group by fiscal_year order by fiscal_year') -%}
        {{- return(found.columns[0].values() | list) -}}
    {%- endif -%}
    {{- return([]) -}}
{%- endmacro %}

{# Whether a month lies in a fiscal year; without a year none does. #}
{% macro in_year(month, year) -%}
    {%- if target.type == 'spark' -%}
        1 = 1
    {%- elif year -%}
        {{ month }} >= date '{{ year }}-01-01' and {{ month }} <= date '{{ year }}-12-31'
    {%- else -%}
        1 = 0
    {%- endif -%}
{%- endmacro %}

{# Hook: the model's own statement for each year after the first. #}
{% macro insert_further_years(month) -%}
    {%- set years = [] if target.type == 'spark' else years_anew() -%}
    {%- set columns = adapter.get_columns_in_relation(this) | map(attribute='quoted') | join(', ') -%}
    {%- for year in years[1:] -%}
        {%- set rows = model['compiled_code'] | replace(in_year(month, years[0]), in_year(month, year)) -%}
        {%- do run_query(
            'insert into ' ~ this ~ ' (' ~ columns ~ ') select ' ~ columns ~ ' from (' ~ rows ~ ') as of_year') -%}
    {%- endfor -%}
{%- endmacro %}
