{# Whether a name fits one of the forms that `pattern` allows, up to six, parted by `;`: _ is one character, % any number,
   {名} what the unit is called without 乡, 镇, 街道. #}
{% macro fits_a_form(text, pattern, stem) -%}
    (
        {%- for place in range(1, 7) %}
        ({{ text }} like nullif(replace(split_part({{ pattern }}, ';', {{ place }}), '{名}', coalesce({{ stem }}, '')), '')) is true
        {%- if not loop.last %} or{% endif %}
        {%- endfor %}
    )
{%- endmacro %}

{# What a township is called without the word for its kind: 东桥镇 → 东桥, 峡山口街道办事处 → 峡山口. #}
{% macro stem_of(name) -%}
    {%- set kinds = ['街道办事处', '办事处', '街道', '镇', '乡', '街'] -%}
    case
        {%- for kind in kinds %}
        when {{ name }} like '_%{{ kind }}' then substr({{ name }}, 1, cast(length({{ name }}) - {{ kind | length }} as int))
        {%- endfor %}
        else {{ name }}
    end
{%- endmacro %}
