{# An amount compared with a guarantee by the digits it was written with: `p` is one unit of its last place. #}

{# Half a unit of the last place: what was written whole, or to the person, is exact. #}
{% macro half_of(p, is_count=false) -%}
    {%- if is_count -%}
    cast(case when {{ p }} > 1 then {{ p }} else 0 end * 0.5 as decimal(18, 4))
    {%- else -%}
    cast(coalesce({{ p }}, 0) * 0.5 as decimal(18, 4))
    {%- endif -%}
{%- endmacro %}

{# Less whatever was meant: `above` is how much more may have been written so, which itself is not reached. #}
{% macro is_surely_less(a, above, g) -%}
    case when {{ above }} > 0 then {{ a }} + {{ above }} <= {{ g }} else {{ a }} < {{ g }} end
{%- endmacro %}

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
