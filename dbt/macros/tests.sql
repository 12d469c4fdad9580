{# A key holds each row once; a repeated key would double a township's money in every sum. #}
{% test unique_key(model, columns) %}
select {{ columns | join(', ') }}, count(*) as rows_found
from {{ model }}
group by {{ columns | join(', ') }}
having count(*) > 1
{% endtest %}

{# Of all versions of a figure one is current; two would be summed. #}
{% test one_current_row(model, key) %}
select {{ key | join(', ') }}, count(*) as rows_found
from {{ model }}
where is_current
group by {{ key | join(', ') }}
having count(*) > 1
{% endtest %}
