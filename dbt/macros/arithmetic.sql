{# Exact arithmetic on whole numbers. Money is never divided with `/`: DuckDB would return a float. #}

{# Quotient of two non-negative whole numbers, rounded half up; null where the denominator is zero. #}
{% macro divide_half_up(numerator, denominator) -%}
    {{ adapter.dispatch('integer_quotient')(
        '(2 * (' ~ numerator ~ ') + (' ~ denominator ~ '))',
        'nullif(2 * (' ~ denominator ~ '), 0)') }}
{%- endmacro %}

{% macro default__integer_quotient(numerator, denominator) -%}
    ({{ numerator }} div {{ denominator }})
{%- endmacro %}

{% macro duckdb__integer_quotient(numerator, denominator) -%}
    divide({{ numerator }}, {{ denominator }})
{%- endmacro %}

{# Whole quotient of a non-negative whole number, as of a month's index the year. #}
{% macro div_floor(number, by) -%}
    {{ adapter.dispatch('integer_quotient')(number, by) }}
{%- endmacro %}

{# Whole 分 of an amount in 元; exact, since amounts have two decimals. #}
{% macro to_fen(amount) -%}
    cast(round(cast({{ amount }} as decimal(18, 2)) * cast(100 as decimal(3, 0)), 0) as bigint)
{%- endmacro %}

{# Amount in 元 of whole 分. #}
{% macro from_fen(fen) -%}
    cast(cast({{ fen }} as decimal(20, 0)) * cast(0.01 as decimal(3, 2)) as decimal(18, 2))
{%- endmacro %}

{# How far `have` falls below `need`, never below zero; unknown where either is unknown.
   `greatest` would not do: it passes over nulls, and an unknown gap would read as none. #}
{% macro missing(need, have) -%}
    case when {{ need }} > {{ have }} then {{ need }} - {{ have }} when {{ need }} <= {{ have }} then 0 end
{%- endmacro %}

{# part ÷ whole × 100 of two sums (amounts with two decimals, or counts), two decimals half up; null without a whole.
   Both are multiplied out to whole numbers: a sum over the country has more digits than `to_fen` takes. #}
{% macro share_pct(part, whole) -%}
    cast(cast({{ adapter.dispatch('wide_quotient')(
        '(2 * ' ~ to_whole_fen('abs(' ~ part ~ ')') ~ ' * 10000 + ' ~ to_whole_fen(whole) ~ ')',
        'case when ' ~ whole ~ ' > 0 then 2 * ' ~ to_whole_fen(whole) ~ ' end') }} as decimal(18, 0))
    * cast(0.01 as decimal(3, 2)) * case when {{ part }} < 0 then -1 else 1 end as decimal(18, 2))
{%- endmacro %}

{# Whole 分 of a sum. #}
{% macro to_whole_fen(amount) -%}
    cast(round(cast({{ amount }} as decimal(24, 2)) * cast(100 as decimal(3, 0)), 0) as decimal(26, 0))
{%- endmacro %}
