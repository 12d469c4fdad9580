{# A key holds each row once; a repeated key would double a township's money in every sum.
   Months that are not made anew were tested when they were. #}
{% test unique_key(model, columns) %}
select {{ columns | join(', ') }}, count(*) as rows_found
from {{ model }}
{%- if 'month' in columns %}
where {{ anew('month') }}
{%- endif %}
group by {{ columns | join(', ') }}
having count(*) > 1
{% endtest %}

{# Of all versions of a figure one is current; two would be summed. #}
{% test one_current_row(model, key) %}
select {{ key | join(', ') }}, count(*) as rows_found
from {{ model }}
where is_current{% if 'month' in key %} and {{ anew('month') }}{% endif %}
group by {{ key | join(', ') }}
having count(*) > 1
{% endtest %}
