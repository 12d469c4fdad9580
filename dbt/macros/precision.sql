{# An amount compared with a guarantee by the digits it was written with: `p` is one unit of its last place. #}

{# Short: no amount that may be written so could reach the guarantee. #}
{% macro is_short(a, p, g) -%}
    {{ a }} + {{ a }} + {{ p }} <= {{ g }} + {{ g }}
{%- endmacro %}

{# Too coarse to say: the guarantee lies within what may be written so, and that is wider than is minor. #}
{% macro is_too_coarse(a, p, g, size) -%}
    (
        {{ g }} + {{ g }} < {{ a }} + {{ a }} + {{ p }}
        and {{ g }} + {{ g }} > {{ a }} + {{ a }} - {{ p }}
        and {{ p }} > {{ size }}.below_amount + {{ size }}.below_amount
        and cast({{ p }} as decimal(18, 2)) * cast(50 as decimal(3, 0))
        > cast({{ g }} as decimal(18, 2)) * cast({{ size }}.below_pct as decimal(18, 4))
    )
{%- endmacro %}

{# One row: below which amount, and which share of a guarantee, a shortfall of money is minor. #}
{% macro minor_amounts() -%}
    select coalesce(max(below_amount), 0) as below_amount, coalesce(max(below_pct), 0) as below_pct
    from {{ ref('stg_materiality') }}
    where unit = '元'
{%- endmacro %}
