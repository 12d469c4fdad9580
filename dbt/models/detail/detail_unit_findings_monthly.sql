-- A row is a county, city, province or the whole country × month: findings open at its end, opened and cleared in it.
-- Must hold: a finding is open from the month it opened to the one before it was cleared or its unit or standard ended.
{{ config(alias='unit_findings_monthly', tags=['nationwide']) }}

with spells as (
    select
        substr(subject_code, 1, 6) as area_code, severity, opened_month, cleared_month,
        case
            when cleared_month is not null then cleared_month
            when status in ('not_applicable', 'unit_ended', 'superseded')
                then cast({{ dbt.dateadd('month', 1, 'last_month') }} as date)
        end as closed_month
    from {{ ref('findings') }}
),

moves as (
    select area_code, opened_month as month, severity, 1 as opened, 0 as cleared, 0 as closed from spells
    union all
    select area_code, cleared_month as month, severity, 0 as opened, 1 as cleared, 0 as closed
    from spells
    where cleared_month is not null
    union all
    select area_code, closed_month as month, severity, 0 as opened, 0 as cleared, 1 as closed
    from spells
    where closed_month is not null
),

-- The subject of a rule may be a city or a province itself.
levels as (
    select 'county' as unit_level, m.area_code as unit_code, m.* from moves as m where substr(m.area_code, 5, 2) <> '00'
    union all
    select 'city' as unit_level, substr(m.area_code, 1, 4) || '00' as unit_code, m.* from moves as m
    where substr(m.area_code, 3, 4) <> '0000'
    union all
    select 'province' as unit_level, substr(m.area_code, 1, 2) || '0000' as unit_code, m.* from moves as m
    union all
    select 'country' as unit_level, '000000' as unit_code, m.* from moves as m
),

moved as (
    select
        unit_level, unit_code, month,
        sum(opened) as opened, sum(cleared) as cleared, sum(closed) as closed
        {%- for severity in ['high', 'medium', 'low'] %},
        sum(case when severity = '{{ severity }}' then opened - closed else 0 end) as {{ severity }}_more
        {%- endfor %}
    from levels
    group by unit_level, unit_code, month
),

every as (
    select u.unit_level, u.unit_code, m.month
    from (select unit_level, unit_code from moved group by unit_level, unit_code) as u
    cross join {{ ref('int_months') }} as m
),

final as (
    select
        cast(e.unit_level as string) as unit_level,
        cast(e.unit_code as string) as unit_code,
        cast(e.month as date) as month,
        cast(sum(coalesce(m.opened - m.closed, 0)) over so_far as bigint) as open_count,
        {%- for severity in ['high', 'medium', 'low'] %}
        cast(sum(coalesce(m.{{ severity }}_more, 0)) over so_far as bigint) as open_{{ severity }}_count,
        {%- endfor %}
        cast(coalesce(m.opened, 0) as bigint) as opened_count,
        cast(coalesce(m.cleared, 0) as bigint) as cleared_count
    from every as e
    left join moved as m
        on e.unit_level = m.unit_level and e.unit_code = m.unit_code and e.month = m.month
    window so_far as (
        partition by e.unit_level, e.unit_code order by e.month asc nulls first
        rows between unbounded preceding and current row
    )
)

select * from final
order by unit_level, unit_code, month
