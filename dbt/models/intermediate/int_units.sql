-- A row is a division of any level as the latest divisions file has it.
-- Must hold: one row a code; `unit_end` is the first day on which the unit no longer exists.
with divisions as (
    select
        division_code, division_name, division_type, parent_code,
        valid_from, valid_to, successor_code
    from {{ ref('reported_divisions') }}
    where is_current
),

final as (
    select
        d.division_code,
        d.division_name,
        d.division_type,
        d.parent_code,
        d.valid_from,
        d.valid_to,
        d.successor_code,
        -- A successor that starts the day after tells that the date given was the last day in force.
        case
            when s.valid_from = cast({{ dbt.dateadd('day', 1, 'd.valid_to') }} as date) then s.valid_from
            else d.valid_to
        end as unit_end,
        case
            when length(d.division_code) = 9 then 'township'
            when length(d.division_code) = 12 then 'village'
            when substr(d.division_code, 3, 4) = '0000' then 'province'
            when substr(d.division_code, 5, 2) = '00' then 'city'
            else 'county'
        end as unit_level,
        -- 类似乡级单位, 乡镇级其他单位 and the like have the words in their names but are no townships.
        coalesce(
            (
                d.division_type like '%镇%' or d.division_type like '%乡%'
                or d.division_type like '%街道%' or d.division_type like '%苏木%'
            )
            and d.division_type not like '%类似%'
            and d.division_type not like '%其他%'
            and d.division_type not like '%其它%'
            and d.division_type not like '%开发区%'
            and d.division_type not like '%场%',
            false
        ) as is_township
    from divisions as d
    left join divisions as s on d.successor_code = s.division_code
)

select * from final
