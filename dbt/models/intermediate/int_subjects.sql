-- A row is somebody who can be asked: a province, city, county, township, village, community or institution.
-- Must hold: one row a level and code; `subject_unit` stays the same when a township or a county is renamed.
with townships as (
    select u.division_code, u.division_name, l.unit_id, u.valid_from, u.unit_end
    from {{ ref('int_units') }} as u
    inner join {{ ref('int_unit_lineage') }} as l on u.division_code = l.township_code
    where u.unit_level = 'township' and u.is_township
),

above as (
    select 'county' as subject_level, substr(division_code, 1, 6) as subject_code
    from townships
    group by substr(division_code, 1, 6)
    union all
    select 'city' as subject_level, substr(division_code, 1, 4) || '00' as subject_code
    from townships
    group by substr(division_code, 1, 4)
    union all
    select 'province' as subject_level, substr(division_code, 1, 2) || '0000' as subject_code
    from townships
    group by substr(division_code, 1, 2)
),

-- Institutions are in no register: they are known from the first month in which they report.
institutions as (
    select
        r.subject_code, r.subject_name, min(r.month) as valid_from,
        cast(count(*) over (partition by r.subject_code) as bigint) as names_count
    from {{ ref('reported_indicators') }} as r
    where
        r.is_current
        and r.indicator_code in (select measure_code from {{ ref('int_institution_measures') }})
    group by r.subject_code, r.subject_name
),

final as (
    select
        'township' as subject_level, division_code as subject_code, unit_id as subject_unit,
        division_name as subject_name, substr(division_code, 1, 6) as county_code, valid_from, unit_end
    from townships
    union all
    select
        a.subject_level, a.subject_code, coalesce(l.unit_id, a.subject_code) as subject_unit,
        coalesce(u.division_name, a.subject_code) as subject_name,
        a.subject_code as county_code,
        -- One that goes on under a new code begins with it; of any other the day says when it was set up, long ago.
        case when l.unit_id <> a.subject_code then u.valid_from end as valid_from,
        u.unit_end
    from above as a
    left join {{ ref('int_unit_lineage') }} as l on a.subject_code = l.township_code
    left join {{ ref('int_units') }} as u on a.subject_code = u.division_code
    union all
    select
        case
            when division_type like '%社区%' or division_type like '%居%' then 'community' else 'village'
        end as subject_level,
        division_code as subject_code, division_code as subject_unit, division_name as subject_name,
        substr(division_code, 1, 6) as county_code, valid_from, unit_end
    from {{ ref('int_units') }}
    where unit_level = 'village'
    union all
    select
        'institution' as subject_level,
        -- Two homes in one township share its code; then the name tells them apart.
        case when names_count > 1 then subject_code || '/' || coalesce(subject_name, '') else subject_code end
            as subject_code,
        subject_code || '/' || coalesce(subject_name, '') as subject_unit,
        coalesce(subject_name, subject_code) as subject_name,
        substr(subject_code, 1, 6) as county_code, valid_from, cast(null as date) as unit_end
    from institutions
)

select * from final
