-- A row is an indicator that only institutions (homes for the aged) report.
-- Must hold: its subjects are told apart by name, since several share their township's code.
{{ config(materialized='view') }}

with final as (
    select m.measure_code
    from {{ ref('stg_standard_measures') }} as m
    inner join {{ ref('stg_standards') }} as s on m.standard_id = s.standard_id
    group by m.measure_code
    having min(s.subject_level) = 'institution' and max(s.subject_level) = 'institution'
)

select * from final
