{# Whether two rows of accruals speak of the same unit, fiscal year, knowledge and standard. #}
{% macro same_accrual(a, b) -%}
    {{ a }}.unit_id = {{ b }}.unit_id
            and {{ a }}.fiscal_year = {{ b }}.fiscal_year
            and {{ a }}.known_number = {{ b }}.known_number
            and {{ a }}.standard_id is not distinct from {{ b }}.standard_id
{%- endmacro %}

{# Amount in 元 of shares, of which 27720 times 10000 make one, rounded half up to the 分; null where unknown. #}
{% macro cny_of_shares(units) -%}
    {{ adapter.dispatch('cny_of_shares')(units) }}
{%- endmacro %}

{% macro duckdb__cny_of_shares(units) -%}
    case
        when {{ units }} between 0 and 4000000000000000000
            then {{ from_fen_narrow('divide(2 * cast(' ~ units ~ ' as bigint) + 2772000, 5544000)') }}
        else {{ default__cny_of_shares(units) }}
    end
{%- endmacro %}

{% macro default__cny_of_shares(units) -%}
    cast(cast({{ adapter.dispatch('wide_quotient')(
        '(2 * ' ~ units ~ ' + 2772000)', '5544000') }} as decimal(20, 0)) * cast(0.01 as decimal(3, 2)) as decimal(18, 2))
{%- endmacro %}
