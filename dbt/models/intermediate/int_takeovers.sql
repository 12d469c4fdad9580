-- A row is a unit that ended and left all that it had to one other: who took over, and from which month on.
-- Must hold: a renaming is no takeover, and a unit split among several has no single heir.
with townships as (
    select u.division_code, u.successor_code, u.valid_from, u.unit_end, u.is_township, l.unit_id
    from {{ ref('int_units') }} as u
    inner join {{ ref('int_unit_lineage') }} as l on u.division_code = l.township_code
    where u.unit_level = 'township'
),

final as (
    select
        ended.unit_id,
        ended.division_code as township_code,
        heir.unit_id as heir_unit_id,
        case
            when heir.valid_from > ended.unit_end then {{ month_index('heir.valid_from') }}
            else {{ month_index('ended.unit_end') }}
        end as since_index
    from townships as ended
    inner join townships as heir on ended.successor_code = heir.division_code
    where
        ended.unit_end is not null
        and ended.is_township
        and ended.unit_id <> heir.unit_id
        and (heir.unit_end is null or heir.unit_end > ended.unit_end)
)

select * from final
