-- A row is an answer of the scope's subjects up to the month.
-- Must hold: each answer once, though a code may stand for two units.
with named as (
    select
        s.*,
        row_number() over (partition by s.subject_code order by s.unit_id asc) as place
    from r_subjects as s
),

final as (
    select j.*, s.unit_id, s.subject_name, s.county_name
    from judgements as j
    inner join named as s on j.subject_code = s.subject_code and s.place = 1
    where j.month <= $month
)

select * from final
