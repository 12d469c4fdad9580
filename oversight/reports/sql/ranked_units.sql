-- A row is a unit to be ranked × the month and the one before, as its roll-up has it.
-- Must hold: `$level` is county or city; units with a township in the scope. Of one month alone both are that month.
with units as (
    select
        case $level when 'county' then county_code else city_code end as code,
        min(case $level when 'county' then county_name else city_name end) as name,
        min(case $level when 'county' then city_name else '' end) as parent
    from r_townships
    group by case $level when 'county' then county_code else city_code end
),

final as (
    select u.*, u.unit_code as code, t.name, t.parent
    from detail.unit_monthly as u
    inner join units as t on u.unit_code = t.code
    where u.unit_level = $level and u.month in ($month, $before)
)

select * from final order by unit_code
