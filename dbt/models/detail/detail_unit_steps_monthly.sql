-- A row is a kind of step × a county, city, province or the whole country × month × the month it is held against.
-- Must hold: a unit that only changed its name or code is the same unit; the rows of a family add up to the change of
-- the roll-up, but for units that ended in the year; a view, nothing is written twice.
-- depends_on: {{ ref('funding_gap_monthly') }}
-- depends_on: {{ ref('townships') }}
{{ config(alias='unit_steps_monthly', materialized='view') }}

with judged as (
    select
        f.township_code, substr(f.township_code, 1, 6) as county_code, t.unit_id, f.month,
        f.guaranteed_annual_cny as guaranteed, f.allocated_annual_cny as allocated,
        f.allocation_shortfall_cny as gap
    from main.funding_gap_monthly as f
    inner join main.townships as t on f.township_code = t.township_code
    where f.status in ('met', 'short')
),

-- Whoever changed counties left one and entered the other, and only stayed in what lies above both.
renamed as (
    select unit_id, min(county_code) <> max(county_code) as has_moved
    from judged
    group by unit_id
    having min(township_code) <> max(township_code)
),

movers as (
    select j.*
    from judged as j
    inner join renamed as r on j.unit_id = r.unit_id and r.has_moved
),

-- All others take the same step at every level: they are counted by county, and only the counts are summed up.
located as (
    select
        '' as unit_level, j.county_code as unit_code, j.unit_id, j.month, j.guaranteed, j.allocated, j.gap
    from judged as j
    inner join renamed as r on j.unit_id = r.unit_id and not r.has_moved
    union all
    select m.unit_level, m.unit_code, m.unit_id, m.month, m.guaranteed, m.allocated, m.gap
    from ({{ at_every_level('movers') }}) as m
),

-- Each month's row stands in its own month, and against it in those that are held against it.
sides as (
    {%- for months in [1, 12] %}
    select
        unit_level, unit_code, unit_id, month, {{ months }} as months_back,
        1 as now_count, 0 as then_count, guaranteed, allocated, gap, gap as gap_now, 0 as gap_then
    from located
    union all
    select
        unit_level, unit_code, unit_id, cast(month + interval {{ months }} month as date) as month,
        {{ months }} as months_back,
        0 as now_count, 1 as then_count, -guaranteed as guaranteed, -allocated as allocated, -gap as gap,
        0 as gap_now, gap as gap_then
    from located
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

pairs_of_renamed as (
    select
        unit_level, unit_code, month, months_back, unit_id,
        sum(now_count) as now_count, sum(then_count) as then_count,
        sum(guaranteed) as guaranteed, sum(allocated) as allocated, sum(gap) as gap,
        sum(gap_now) as gap_now, sum(gap_then) as gap_then
    from sides
    group by unit_level, unit_code, month, months_back, unit_id
),

-- Of one code there is one row a month: nothing has to be added up, which for the whole country is dear.
settled as (
    select j.township_code, j.county_code, j.month, j.guaranteed, j.allocated, j.gap
    from judged as j
    left join renamed as r on j.unit_id = r.unit_id
    where r.unit_id is null
),

pairs as (
    select
        unit_level, unit_code, month, months_back, now_count, then_count, guaranteed, allocated, gap, gap_now, gap_then
    from pairs_of_renamed
    {%- for months in [1, 12] %}
    union all
    select
        '' as unit_level, coalesce(n.county_code, b.county_code) as unit_code, coalesce(n.month, b.month) as month,
        {{ months }} as months_back,
        case when n.township_code is null then 0 else 1 end as now_count,
        case when b.township_code is null then 0 else 1 end as then_count,
        {%- for amount in ['guaranteed', 'allocated', 'gap'] %}
        coalesce(n.{{ amount }} - b.{{ amount }}, n.{{ amount }}, -b.{{ amount }}) as {{ amount }},
        {%- endfor %}
        coalesce(n.gap, 0) as gap_now, coalesce(b.gap, 0) as gap_then
    from settled as n
    full outer join (
        select
            township_code, county_code, cast(month + interval {{ months }} month as date) as month,
            guaranteed, allocated, gap
        from settled
    ) as b
        on n.township_code = b.township_code and n.month = b.month
    {%- endfor %}
),

named as (
    select
        *,
        case when then_count = 0 then 'entered' when now_count = 0 then 'left' else 'same' end as unit_step,
        case
            when then_count = 0 and gap_now > 0 then 'entered'
            when now_count = 0 and gap_then > 0 then 'left'
            when gap_then = 0 and gap_now > 0 then 'opened'
            when gap_then > 0 and gap_now = 0 then 'closed'
            when gap > 0 then 'grown'
            when gap < 0 then 'shrunk'
        end as gap_step
    from pairs
),

stepped as (
    select
        unit_level, unit_code, month, months_back, unit_step, gap_step,
        count(*) as units_count, sum(guaranteed) as guaranteed, sum(allocated) as allocated, sum(gap) as gap
    from named
    group by unit_level, unit_code, month, months_back, unit_step, gap_step
),

counted as (
    select 'unit' as family, unit_step as step, * from stepped
    union all
    select 'gap' as family, gap_step as step, * from stepped where gap_step is not null
),

counties as (
    select unit_code as county_code, month, months_back, family, step, units_count, guaranteed, allocated, gap
    from counted
    where unit_level = ''
),

levels as (
    select unit_level, unit_code, month, months_back, family, step, units_count, guaranteed, allocated, gap
    from ({{ at_every_level('counties') }}) as c
    union all
    select unit_level, unit_code, month, months_back, family, step, units_count, guaranteed, allocated, gap
    from counted
    where unit_level <> ''
),

final as (
    select
        unit_level, unit_code, month, months_back, family, step,
        cast(sum(units_count) as bigint) as units_count,
        cast(sum(guaranteed) as decimal(20, 2)) as guaranteed_change_cny,
        cast(sum(allocated) as decimal(20, 2)) as allocated_change_cny,
        cast(sum(gap) as decimal(20, 2)) as allocation_shortfall_change_cny
    from levels
    group by unit_level, unit_code, month, months_back, family, step
)

select * from final
order by month, unit_level, unit_code, months_back, family, step
