{# CTEs `settled` and `contested`: rows of `reports` that no other accepted row of the same key disputes, and those
   of which the latest counts. Few keys are reported twice; a window over all rows would sort the whole country. #}
{% macro current_rows(key, told_apart_by='') -%}
{%- set keys = key.split(', ') -%}
repeated as (
    select {{ key }}{{ ', ' ~ told_apart_by if told_apart_by }}
    from reports
    where row_status = 'accepted'
    group by {{ key }}{{ ', ' ~ told_apart_by if told_apart_by }}
    having count(*) > 1
),

settled as (
    select s.*, s.row_status = 'accepted' as is_current
    from reports as s
    where
        s.row_status <> 'accepted'
        or not exists (
            select 1 from repeated as r
            where {% for each in keys %}s.{{ each }} = r.{{ each }}{{ ' and ' if not loop.last }}{% endfor %}
            {%- if told_apart_by %} and s.{{ told_apart_by }} is not distinct from r.{{ told_apart_by }}{% endif %}
        )
),

contested as (
    select
        s.*,
        row_number() over (
            partition by {% for each in keys %}s.{{ each }}, {% endfor %}
                {{- 's.' ~ told_apart_by ~ ', ' if told_apart_by }}s.row_status
            order by
                s.precedence desc nulls last, s.submission_id asc nulls last,
                s.sheet asc nulls last, s.row_number desc nulls last
        ) = 1 as is_current
    from reports as s
    where
        s.row_status = 'accepted'
        and exists (
            select 1 from repeated as r
            where {% for each in keys %}s.{{ each }} = r.{{ each }}{{ ' and ' if not loop.last }}{% endfor %}
            {%- if told_apart_by %} and s.{{ told_apart_by }} is not distinct from r.{{ told_apart_by }}{% endif %}
        )
),

final as (
    select * from settled
    union all
    select * from contested
)
{%- endmacro %}
