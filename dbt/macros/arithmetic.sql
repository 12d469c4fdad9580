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
    {{ adapter.dispatch('to_fen')(amount) }}
{%- endmacro %}

{% macro default__to_fen(amount) -%}
    cast(round(cast({{ amount }} as decimal(18, 2)) * cast(100 as decimal(3, 0)), 0) as bigint)
{%- endmacro %}

{% macro duckdb__to_fen(amount) -%}
    case
        when {{ amount }} between -1000000000000 and 1000000000000 then {{ to_fen_narrow(amount) }}
        else {{ default__to_fen(amount) }}
    end
{%- endmacro %}

{# Amount in 元 of whole 分. #}
{% macro from_fen(fen) -%}
    {{ adapter.dispatch('from_fen')(fen) }}
{%- endmacro %}

{% macro default__from_fen(fen) -%}
    cast(cast({{ fen }} as decimal(20, 0)) * cast(0.01 as decimal(3, 2)) as decimal(18, 2))
{%- endmacro %}

{% macro duckdb__from_fen(fen) -%}
    case
        when {{ fen }} between -100000000000000 and 100000000000000 then {{ from_fen_narrow(fen) }}
        else {{ default__from_fen(fen) }}
    end
{%- endmacro %}

{# The two above for amounts below 10^13 元, which is for the caller to see: they fit the machine's own numbers, and wider
   ones DuckDB multiplies and divides many times slower. #}
{% macro to_fen_narrow(amount) -%}
    cast(cast({{ amount }} as decimal(15, 2)) * cast(100 as decimal(3, 0)) as bigint)
{%- endmacro %}

{% macro from_fen_narrow(fen) -%}
    cast(cast({{ fen }} as decimal(15, 0)) * cast(0.01 as decimal(3, 2)) as decimal(18, 2))
{%- endmacro %}

{# How far `have` falls below `need`, never below zero; unknown where either is unknown.
   `greatest` would not do: it passes over nulls, and an unknown gap would read as none. #}
{% macro missing(need, have) -%}
    case when {{ need }} > {{ have }} then {{ need }} - {{ have }} when {{ need }} <= {{ have }} then 0 end
{%- endmacro %}

{# part ÷ whole × 100 of two sums (amounts with two decimals, or counts), two decimals half up; null without a whole.
   Both are multiplied out to whole numbers: a sum over the country has more digits than `to_fen` takes. #}
{% macro share_pct(part, whole) -%}
    {{ adapter.dispatch('share_pct')(part, whole) }}
{%- endmacro %}

{# Nearly all parts and wholes are a township's or a county's, and then 10^9 元 has room to spare. #}
{% macro duckdb__share_pct(part, whole) -%}
    case
        when {{ part }} >= 0 and {{ part }} < 900000000 and {{ whole }} > 0 and {{ whole }} < 1000000000000
            then {{ from_fen_narrow(divide_half_up(
                to_fen_narrow(part) ~ ' * 10000', to_fen_narrow(whole)
            )) }}
        else {{ default__share_pct(part, whole) }}
    end
{%- endmacro %}

{% macro default__share_pct(part, whole) -%}
    cast(cast({{ adapter.dispatch('wide_quotient')(
        '(2 * ' ~ to_whole_fen('abs(' ~ part ~ ')') ~ ' * 10000 + ' ~ to_whole_fen(whole) ~ ')',
        'case when ' ~ whole ~ ' > 0 then 2 * ' ~ to_whole_fen(whole) ~ ' end') }} as decimal(18, 0))
    * cast(0.01 as decimal(3, 2)) * case when {{ part }} < 0 then -1 else 1 end as decimal(18, 2))
{%- endmacro %}

{# Whole 分 of a sum. #}
{% macro to_whole_fen(amount) -%}
    cast(round(cast({{ amount }} as decimal(24, 2)) * cast(100 as decimal(3, 0)), 0) as decimal(26, 0))
{%- endmacro %}
