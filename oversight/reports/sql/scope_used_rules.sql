-- A row is a rule that the report's figures rest on.
-- Must hold: one row a rule.
with latest as (
    select max(month) as month from r_funding
),

last_month as (
    select f.standard_id, f.also_standard_id
    from r_funding as f
    inner join latest as l on f.month = l.month
),

final as (
    select standard_id from last_month
    union
    select also_standard_id as standard_id from last_month
    union
    select standard_id from r_staffing where status <> 'not_applicable'
    union
    select rule_id as standard_id from r_latest where status <> 'not_applicable'
)

select * from final
