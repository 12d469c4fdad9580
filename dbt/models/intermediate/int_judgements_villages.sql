-- A row is a township × month × rule that every village has its assistant, judged from counts the township reports.
-- Must hold: no village count, no answer; a township without villages is not asked.
with final as (
    select
        ts.standard_id as rule_id,
        'township' as subject_level,
        m.township_code as subject_code,
        m.unit_id as subject_unit,
        m.month,
        case
            when s.villages_count is null or s.villages_with_assistant_count is null then 'not_reported'
            when s.villages_count = 0 then 'not_applicable'
            when s.villages_with_assistant_count < s.villages_count then 'short'
            else 'met'
        end as status,
        cast(s.villages_with_assistant_count as decimal(18, 4)) as value_checked,
        cast(s.villages_count as decimal(18, 4)) as value_expected,
        cast({{ missing('s.villages_count', 's.villages_with_assistant_count') }} as decimal(18, 4)) as shortfall
    from {{ ref('int_township_months') }} as m
    inner join {{ ref('int_township_standards') }} as ts
        on
            m.township_code = ts.township_code
            and ts.formula = 'village_coverage'
            and ts.effective_from <= m.last_day
            and (ts.effective_to is null or ts.effective_to >= m.last_day)
            and (ts.replaced_on is null or ts.replaced_on > m.last_day)
    left join {{ ref('reported_staffing') }} as s
        on m.township_code = s.township_code and m.month = s.month and s.is_current
)

select * from final
