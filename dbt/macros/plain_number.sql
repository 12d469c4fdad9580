{# A figure as text: money with two decimals, yes or no as words, everything else without needless zeros. #}
{% macro plain_number(value, unit) -%}
    case
        when {{ unit }} = '是/否' then case when {{ value }} >= 1 then '是' else '否' end
        when {{ unit }} like '%元%' then cast(cast({{ value }} as decimal(18, 2)) as string) || ' ' || {{ unit }}
        when {{ value }} = round({{ value }}, 0)
            then cast(cast(round({{ value }}, 0) as bigint) as string) || ' ' || {{ unit }}
        else cast(cast(round({{ value }}, 2) as decimal(18, 2)) as string) || ' ' || {{ unit }}
    end
{%- endmacro %}
