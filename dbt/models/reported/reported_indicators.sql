-- A row is an indicator of a subject and month as one file gave it; every version stays, with file, sheet and row.
-- Must hold: at most one row a key is current, and a held row never is. The columns are those of the contract.
{{ config(
    alias='indicators',
    materialized='incremental', on_schema_change='fail',
    pre_hook="{{ forget(anew('month') ~ ' or month is null') }}"
) }}

with reports as (
    select * from {{ source('inputs', 'indicators') }}
    where {{ anew('month') }} or month is null
),

versions as (
    select
        s.*,
        s.row_status = 'accepted' and row_number() over (
            partition by
                s.month, s.subject_code, s.indicator_code, s.row_status, s.source,
                -- Several institutions share their township's code; their names tell them apart.
                case when i.measure_code is not null then s.subject_name end
            order by
                s.precedence desc nulls last, s.submission_id asc nulls last,
                s.sheet asc nulls last, s.row_number desc nulls last
        ) = 1 as is_latest
    from reports as s
    left join {{ ref('int_institution_measures') }} as i on s.indicator_code = i.measure_code
),

final as (
    select
        v.*,
        v.is_latest and row_number() over (
            partition by
                v.month, v.subject_code, v.indicator_code,
                case when i.measure_code is not null then v.subject_name end
            order by
                case when v.is_latest then 0 else 1 end asc nulls last,
                {{ source_rank('p') }} asc nulls last, v.source asc nulls last
        ) = 1 as is_current
    from versions as v
    left join {{ ref('int_institution_measures') }} as i on v.indicator_code = i.measure_code
    {{ join_precedence('v.source', '*', 'p') }}
)

select * from final
order by month, subject_code, indicator_code, submission_id, sheet, row_number
