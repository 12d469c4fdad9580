{# Exact ratios of figures with four decimals; nothing is divided but whole numbers. #}

{# A figure with four decimals as a whole number of ten-thousandths. #}
{% macro to_units(value) -%}
    cast(round(cast({{ value }} as decimal(18, 4)) * cast(10000 as decimal(5, 0)), 0) as decimal(38, 0))
{%- endmacro %}

{# numerator × per ÷ denominator with four decimals, rounded half up; null where the denominator is not positive. #}
{% macro ratio(numerator, denominator, per) -%}
    cast(cast({{ adapter.dispatch('wide_quotient')(
        '(2 * ' ~ to_units(numerator) ~ ' * ' ~ to_units(per) ~ ' + ' ~ to_units(denominator) ~ ')',
        'case when ' ~ denominator ~ ' > 0 then 2 * ' ~ to_units(denominator) ~ ' end') }} as decimal(18, 0))
    * cast(0.0001 as decimal(5, 4)) as decimal(18, 4))
{%- endmacro %}

{# How many whole steps of `step` it takes to cover `value`; ten people at three a carer are four carers. #}
{% macro steps_up(value, step) -%}
    cast({{ adapter.dispatch('wide_quotient')(
        '(' ~ to_units(value) ~ ' + ' ~ to_units(step) ~ ' - 1)',
        'case when ' ~ step ~ ' > 0 then ' ~ to_units(step) ~ ' end') }} as decimal(18, 4))
{%- endmacro %}

{% macro default__wide_quotient(numerator, denominator) -%}
    ({{ numerator }} div {{ denominator }})
{%- endmacro %}

{% macro duckdb__wide_quotient(numerator, denominator) -%}
    divide(cast({{ numerator }} as hugeint), cast({{ denominator }} as hugeint))
{%- endmacro %}

{# Rounded half up to as many decimals as stand in a column (at most four). #}
{% macro round_half_up_to(value, decimals) -%}
    case {{ decimals }}
        when 0 then cast(round(cast({{ value }} as decimal(18, 4)), 0) as decimal(18, 4))
        when 1 then cast(round(cast({{ value }} as decimal(18, 4)), 1) as decimal(18, 4))
        when 2 then cast(round(cast({{ value }} as decimal(18, 4)), 2) as decimal(18, 4))
        else cast({{ value }} as decimal(18, 4))
    end
{%- endmacro %}
{# Whether a shortfall lies below a size of `materiality`: the larger of an amount and a share of what is asked, exactly. #}
{% macro is_below_size(shortfall, asked, size) -%}
    (
        {{ shortfall }} < {{ size }}.below_amount
        or cast({{ shortfall }} as decimal(18, 4)) * cast(100 as decimal(3, 0))
        < cast({{ asked }} as decimal(18, 4)) * cast({{ size }}.below_pct as decimal(18, 4))
    )
{%- endmacro %}
