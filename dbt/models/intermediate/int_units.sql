-- A row is a division of any level as the latest divisions file has it.
-- Must hold: one row a code; `unit_end` is the first day on which the unit no longer exists; a unit under two codes at
-- once stands under one of them.
with divisions as (
    select
        division_code, division_name, division_type, parent_code,
        valid_from, valid_to, successor_code
    from {{ ref('reported_divisions') }}
    where is_current
),

-- A register may close an old code some weeks after it opened the new one: all that goes into the new one ends so.
handovers as (
    select
        new_unit.division_code as new_code, new_unit.valid_from as opened_on, max(old_unit.valid_to) as closed_on
    from divisions as old_unit
    inner join divisions as new_unit on old_unit.successor_code = new_unit.division_code
    where length(old_unit.division_code) < 12
    group by new_unit.division_code, new_unit.valid_from
    having
        min(case
            when
                old_unit.valid_to > new_unit.valid_from
                and old_unit.valid_to <= cast({{ dbt.dateadd('day', 31, 'new_unit.valid_from') }} as date)
                then 1
            else 0
        end) = 1
),

beside as (
    select h.new_code, h.new_code as told_code, 1 as is_new, h.opened_on, h.closed_on
    from handovers as h
    union all
    select h.new_code, d.division_code as told_code, 0 as is_new, h.opened_on, d.valid_to as closed_on
    from handovers as h
    inner join divisions as d on h.new_code = d.successor_code
),

-- Who reports for a month at whose end both codes stand.
told as (
    select b.new_code, r.month, max(b.is_new) as new_is_told, max(1 - b.is_new) as old_is_told
    from beside as b
    inner join (
        {%- for dataset in ['population', 'budget', 'staffing'] %}
        select township_code, month from {{ ref('reported_' ~ dataset) }} where row_status = 'accepted'
        {{ 'union' if not loop.last }}
        {%- endfor %}
    ) as r
        on
            b.told_code = r.township_code
            and cast({{ dbt.dateadd('month', 1, 'r.month') }} as date) > b.opened_on
            and cast({{ dbt.dateadd('month', 1, 'r.month') }} as date) <= b.closed_on
    group by b.new_code, r.month
),

-- Two that report beside one another are two units, of which one goes into the other. Otherwise it is one, handed over
-- when the old code closed, if that was still reported by, and when the new one opened if not.
handed_over as (
    select
        h.new_code,
        case when coalesce(max(t.old_is_told), 0) = 1 then h.closed_on else h.opened_on end as handed_over_on
    from handovers as h
    left join told as t on h.new_code = t.new_code
    group by h.new_code, h.opened_on, h.closed_on
    having coalesce(max(t.new_is_told * t.old_is_told), 0) = 0
),

final as (
    select
        d.division_code,
        d.division_name,
        d.division_type,
        d.parent_code,
        coalesce(begun.handed_over_on, d.valid_from) as valid_from,
        d.valid_to,
        d.successor_code,
        -- A successor that starts the day after tells that the date given was the last day in force.
        case
            when ended.handed_over_on is not null then ended.handed_over_on
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
    left join handed_over as begun on d.division_code = begun.new_code
    left join handed_over as ended on d.successor_code = ended.new_code
)

select * from final
