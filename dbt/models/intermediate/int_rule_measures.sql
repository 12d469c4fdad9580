-- A row is a figure that a general rule counts, with the name under which int_facts has it.
-- Must hold: amounts are those of the rule's own matter; a matter that no fund serves means the working funds.
{{ config(materialized='view') }}

with funded as (
    select matter
    from {{ ref('stg_funds') }}
    where matter <> 'working_funds'
    group by matter
),

final as (
    select
        m.*,
        case
            when
                f.matter is not null
                and m.measure_code in (
                    {% for column in measures_of('budget') %}'{{ column.name }}', {% endfor %}
                    'allocated_annual_cny', 'disbursed_ytd_cny', 'spent_ytd_cny'
                )
                then f.matter || '/' || m.measure_code
            else m.measure_code
        end as fact_code
    from {{ ref('stg_standard_measures') }} as m
    inner join {{ ref('stg_standards') }} as s on m.standard_id = s.standard_id
    left join funded as f on s.matter = f.matter
)

select * from final
