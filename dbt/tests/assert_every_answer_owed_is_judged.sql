-- Every answer owed has its row in judgements, counted rule by rule and month by month, whatever the answer.
-- Otherwise a rule that nobody reports on would pass in silence.
with owed as (
    select standard_id as rule_id, subject_level, month, cast(count(*) as bigint) as answers_count
    from {{ ref('int_answers_owed') }}
    where {{ anew('month') }}
    group by standard_id, subject_level, month
),

judged as (
    select rule_id, subject_level, month, cast(count(*) as bigint) as answers_count
    from {{ ref('judgements') }}
    where {{ anew('month') }}
    group by rule_id, subject_level, month
)

select
    coalesce(o.rule_id, j.rule_id) as rule_id, coalesce(o.month, j.month) as month,
    o.answers_count as owed, j.answers_count as judged
from owed as o
full outer join judged as j
    on o.rule_id = j.rule_id and o.subject_level = j.subject_level and o.month = j.month
where o.answers_count is distinct from j.answers_count
