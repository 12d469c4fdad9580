-- A row is a township of the scope in force: for each dataset what came of its own in the month, and when it last did.
-- Must hold: `reported` with a figure, `nil` declared so, `dash` or `blank` where the main one is, `held`, else `missing`.
with told as (
    select
        t.unit_id, s.dataset, s.month, s.state in ('reported', 'nil') as has_come,
        case when s.month = $month then
            case
                when s.told = 'figure' then 'reported'
                when s.told in ('nil', 'dash', 'blank') then s.told
                when s.held_count > 0 then 'held'
            end
        end as told_now
    from detail.submission_status as s
    inner join r_townships as t on s.township_code = t.township_code
    where s.month <= $month
),

came as (
    select
        unit_id,
        max(case when dataset = 'population' and has_come then month end) as population_last,
        max(case when dataset = 'population' then told_now end) as population,
        max(case when dataset = 'budget' and has_come then month end) as budget_last,
        max(case when dataset = 'budget' then told_now end) as budget,
        max(case when dataset = 'staffing' and has_come then month end) as staffing_last,
        max(case when dataset = 'staffing' then told_now end) as staffing
    from told
    group by unit_id
),

final as (
    select
        f.township_code, f.township_name, f.county_code, f.county_name,
        coalesce(c.population, 'missing') as population, c.population_last,
        coalesce(c.budget, 'missing') as budget, c.budget_last,
        coalesce(c.staffing, 'missing') as staffing, c.staffing_last
    from r_funding as f
    left join came as c on f.unit_id = c.unit_id
    where f.month = $month and f.is_township
)

select * from final order by township_code
