-- A row is a township × month × monthly dataset: whether, and when, its report came.
-- Must hold: every township in force in the month has a row for each dataset, whether or not anything came.
{{ config(
    alias='submission_status',
    materialized='incremental', on_schema_change='fail',
    pre_hook="{{ forget(anew('month')) }}"
) }}

with datasets as (
    select 'population' as dataset
    union all
    select 'budget' as dataset
    union all
    select 'staffing' as dataset
),

expected as (
    select t.township_code, t.township_name, t.county_code, t.month, d.dataset
    from {{ ref('int_township_months') }} as t
    cross join datasets as d
    where t.is_township and {{ anew('t.month') }}
),

as_of as (
    select cast(built_at as date) as built_on from {{ source('inputs', 'edition') }}
),

joined as (
    select
        e.township_code,
        e.township_name,
        e.county_code,
        e.month,
        e.dataset,
        u.due_on,
        u.nominal_due_on,
        r.first_received_on,
        r.last_received_on,
        a.built_on,
        coalesce(r.first_received_on > u.due_on, false) as came_after,
        coalesce(r.is_dated, true) as is_dated,
        coalesce(r.files_count, 0) as files_count,
        coalesce(r.accepted_count, 0) as accepted_count,
        coalesce(r.held_count, 0) as held_count,
        coalesce(r.rejected_count, 0) as rejected_count
    from expected as e
    cross join as_of as a
    left join {{ source('inputs', 'due_dates') }} as u on e.dataset = u.dataset and e.month = u.month
    left join {{ source('inputs', 'deliveries') }} as r
        on e.dataset = r.dataset and e.month = r.month and e.township_code = r.township_code
),

final as (
    select
        cast(township_code as varchar) as township_code,
        cast(township_name as varchar) as township_name,
        cast(county_code as varchar) as county_code,
        cast(month as date) as month,
        cast(dataset as varchar) as dataset,
        case
            when accepted_count > 0 and files_count > 1 then 'corrected'
            when accepted_count > 0 and came_after and not is_dated then 'undated'
            when accepted_count > 0 and came_after then 'late'
            when accepted_count > 0 then 'on_time'
            when held_count + rejected_count > 0 then 'refused'
            when due_on is null or built_on <= due_on then 'not_due'
            else 'missing'
        end as status,
        came_after and is_dated as is_late,
        cast(due_on as date) as due_on,
        cast(nominal_due_on as date) as nominal_due_on,
        cast(first_received_on as date) as first_received_on,
        cast(last_received_on as date) as last_received_on,
        cast(files_count as bigint) as files_count,
        cast(held_count as bigint) as held_count,
        cast(rejected_count as bigint) as rejected_count
    from joined
)

select * from final
order by extract(year from month), township_code, month, dataset
