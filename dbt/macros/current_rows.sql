{# CTEs that end in `final`: the rows of `reports` with `is_latest`, the last version that one source gave (of one fund),
   and `is_current`, the one row of the key that counts: of the preferred source, and `counted`. `figure` is the one by
   which the precedence of sources decides. Few keys are reported twice; a window over all rows would sort the whole
   country. #}
{% macro current_rows(key, figure, lane='source', counted='true') -%}
{%- set keys = key.split(', ') -%}
repeated as (
    select {{ key }}
    from reports
    where row_status = 'accepted'
    group by {{ key }}
    having count(*) > 1
),

settled as (
    select s.*, s.row_status = 'accepted' as is_latest, s.row_status = 'accepted' and {{ counted }} as is_current
    from reports as s
    where
        s.row_status <> 'accepted'
        or not exists (
            select 1 from repeated as r
            where {% for each in keys %}s.{{ each }} = r.{{ each }}{{ ' and ' if not loop.last }}{% endfor %}
        )
),

ranked as (
    select
        s.*,
        row_number() over (
            partition by {% for each in keys %}s.{{ each }}, {% endfor %}s.{{ lane.split(', ') | join(', s.') }}
            order by
                s.precedence desc nulls last, s.submission_id asc nulls last,
                s.sheet asc nulls last, s.row_number desc nulls last
        ) = 1 as is_latest
    from reports as s
    where
        s.row_status = 'accepted'
        and exists (
            select 1 from repeated as r
            where {% for each in keys %}s.{{ each }} = r.{{ each }}{{ ' and ' if not loop.last }}{% endfor %}
        )
),

contested as (
    select
        s.*,
        s.is_latest and {{ counted }} and row_number() over (
            partition by {% for each in keys %}s.{{ each }}{{ ', ' if not loop.last }}{% endfor %}
            order by
                case when s.is_latest and {{ counted }} then 0 else 1 end asc nulls last,
                {{ source_rank('p') }} asc nulls last, s.source asc nulls last, s.precedence desc nulls last
        ) = 1 as is_current
    from ranked as s
    {{ join_precedence('s.source', figure, 'p') }}
),

final as (
    select * from settled
    union all
    select * from contested
)
{%- endmacro %}

{# The rank of a source for a figure: its own rule, else that for all figures (`*`), else behind all that are named. #}
{% macro source_rank(alias) -%}
coalesce({{ alias }}.source_rank, {{ alias }}_any.source_rank, 99)
{%- endmacro %}

{% macro join_precedence(source, figure, alias) -%}
left join {{ ref('stg_source_precedence') }} as {{ alias }}
        on {{ source }} = {{ alias }}.source and {{ alias }}.figure = '{{ figure }}'
    left join {{ ref('stg_source_precedence') }} as {{ alias }}_any
        on {{ source }} = {{ alias }}_any.source and {{ alias }}_any.figure = '*'
{%- endmacro %}
