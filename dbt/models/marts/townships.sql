-- A row is a township-level unit as of the edition, abolished ones included.
-- Must hold: one row a nine-digit code.
with units as (
    select * from {{ ref('int_units') }}
),

final as (
    select
        cast(u.division_code as string) as township_code,
        cast(u.division_name as string) as township_name,
        cast(u.division_type as string) as township_type,
        cast(substr(u.division_code, 1, 6) as string) as county_code,
        cast(coalesce(county.division_name, substr(u.division_code, 1, 6)) as string) as county_name,
        cast(substr(u.division_code, 1, 4) || '00' as string) as city_code,
        cast(coalesce(city.division_name, substr(u.division_code, 1, 4) || '00') as string) as city_name,
        cast(substr(u.division_code, 1, 2) || '0000' as string) as province_code,
        cast(coalesce(province.division_name, substr(u.division_code, 1, 2) || '0000') as string)
            as province_name,
        cast(u.valid_from as date) as valid_from,
        cast(u.unit_end as date) as valid_to,
        cast(u.successor_code as string) as successor_code,
        cast(u.is_township as boolean) as is_township,
        cast(l.unit_id as string) as unit_id
    from units as u
    inner join {{ ref('int_unit_lineage') }} as l on u.division_code = l.township_code
    left join units as county on substr(u.division_code, 1, 6) = county.division_code
    left join units as city on substr(u.division_code, 1, 4) || '00' = city.division_code
    left join units as province on substr(u.division_code, 1, 2) || '0000' = province.division_code
    where u.unit_level = 'township'
)

select * from final
order by township_code
