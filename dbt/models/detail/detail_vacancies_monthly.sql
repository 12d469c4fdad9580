-- A row is a township, county, city, province or the whole country × month: posts, people in post, and the difference.
-- Must hold: known only where posts of both kinds and people are; vacant and unposted are never set off between townships.
{{ config(
    alias='vacancies_monthly', tags=['nationwide'],
    materialized='incremental', on_schema_change='fail',
    pre_hook="{{ forget(anew('month')) }}"
) }}

with reports as (
    select
        m.township_code, m.month,
        s.administrative_posts + s.institution_posts as posts,
        s.dedicated_staff_persons as persons
    from {{ ref('int_township_months') }} as m
    left join {{ ref('reported_staffing') }} as s
        on m.township_code = s.township_code and m.month = s.month and s.is_current
    where m.is_township and {{ anew('m.month') }}
),

townships as (
    select
        township_code, month, 1 as units_count,
        case when posts is not null and persons is not null then 1 else 0 end as known_count,
        case when persons is not null then posts end as posts,
        case when posts is not null then persons end as persons,
        {{ missing('posts', 'persons') }} as vacant_posts,
        {{ missing('persons', 'posts') }} as unposted_persons
    from reports
),

levels as (
    select 'township' as unit_level, t.township_code as unit_code, t.* from townships as t
    union all
    select 'county' as unit_level, substr(t.township_code, 1, 6) as unit_code, t.* from townships as t
    union all
    select 'city' as unit_level, substr(t.township_code, 1, 4) || '00' as unit_code, t.* from townships as t
    union all
    select 'province' as unit_level, substr(t.township_code, 1, 2) || '0000' as unit_code, t.* from townships as t
    union all
    select 'country' as unit_level, '000000' as unit_code, t.* from townships as t
),

final as (
    select
        cast(unit_level as string) as unit_level,
        cast(unit_code as string) as unit_code,
        cast(month as date) as month,
        cast(sum(units_count) as bigint) as units_count,
        cast(sum(known_count) as bigint) as known_count,
        cast(sum(posts) as bigint) as established_posts,
        cast(sum(persons) as bigint) as in_post_persons,
        cast(sum(vacant_posts) as bigint) as vacant_posts,
        cast(sum(unposted_persons) as bigint) as unposted_persons,
        cast(sum(case when vacant_posts > 0 then 1 else 0 end) as bigint) as units_with_vacancies_count
    from levels
    group by unit_level, unit_code, month
)

select * from final
order by extract(year from month), unit_level, unit_code, month
