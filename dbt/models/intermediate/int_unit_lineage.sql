-- A row is the code of a township, or of a county or what is above it, with the first code the same unit ever had.
-- Must hold: only a plain rename carries history over; a merger or a split does not.
with units as (
    select division_code, valid_from, unit_end, successor_code
    from {{ ref('int_units') }}
    where unit_level <> 'village'
),

-- Who ended when its successor began, or up to a month before. A merger into a unit that already existed is no rename, and makes none of the
-- one by which that unit came to be; where one ended on the very day, another that ended weeks from it came later.
beginnings as (
    select
        new_unit.division_code as new_code, old_unit.division_code as old_code,
        case when new_unit.valid_from = old_unit.unit_end then 0 else 1 end as is_apart
    from units as old_unit
    inner join units as new_unit on old_unit.successor_code = new_unit.division_code
    where
        new_unit.valid_from >= old_unit.unit_end
        and new_unit.valid_from <= cast({{ dbt.dateadd('day', 31, 'old_unit.unit_end') }} as date)
),

renames as (
    select b.new_code, min(b.old_code) as old_code
    from beginnings as b
    inner join (select new_code, min(is_apart) as is_apart from beginnings group by new_code) as nearest
        on b.new_code = nearest.new_code and b.is_apart = nearest.is_apart
    group by b.new_code
    having count(*) = 1
),

-- Three doublings follow up to eight renames of one unit.
first_step as (
    select t.division_code, coalesce(r.old_code, t.division_code) as root_code
    from units as t
    left join renames as r on t.division_code = r.new_code
),

second_step as (
    select a.division_code, coalesce(b.root_code, a.root_code) as root_code
    from first_step as a
    left join first_step as b on a.root_code = b.division_code
),

third_step as (
    select a.division_code, coalesce(b.root_code, a.root_code) as root_code
    from second_step as a
    left join second_step as b on a.root_code = b.division_code
),

final as (
    select a.division_code as township_code, coalesce(b.root_code, a.root_code) as unit_id
    from third_step as a
    left join third_step as b on a.root_code = b.division_code
)

select * from final
