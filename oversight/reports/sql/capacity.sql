-- A row is a rule on neither money nor people: of how many subjects of the scope each answer holds.
-- Must hold: one row a rule.
select
    rule_id, title_zh, topic_zh, clause, gradeable, strength, force, max(month) as month,
    count(*) as due,
    count(case when status = 'met' then 1 end) as met,
    count(case when status = 'short' then 1 end) as short,
    count(case when status = 'over' then 1 end) as over,
    count(case when status = 'not_reported' then 1 end) as not_reported
from r_other_rules
group by rule_id, title_zh, topic_zh, clause, gradeable, strength, force
order by rule_id
