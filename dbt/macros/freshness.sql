{# The last day up to which a standard counts as confirmed; null where no period of confirmation is set. #}
{% macro confirmed_until() -%}
    case
        when confirm_within_months is not null then cast({{ dbt.dateadd(
            'month', 'cast(confirm_within_months as int)', 'coalesce(last_confirmed_on, recorded_on)') }} as date)
    end
{%- endmacro %}
