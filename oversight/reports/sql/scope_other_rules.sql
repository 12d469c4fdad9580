-- A row is an answer that holds in the month to a rule on neither money nor people.
-- Must hold: what is not applicable is no answer.
select *
from r_latest
where
    rule_id not in (select standard_id from staffing_gap_monthly)
    and formula <> 'paid_in_full'
    and rule_id not in (select standard_id from funding_gap_monthly where standard_id is not null)
    and status in ('met', 'short', 'over', 'not_reported', 'unconfirmed')
