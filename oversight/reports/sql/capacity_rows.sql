-- A row is a subject that does not meet a rule on neither money nor people.
-- Must hold: one row a rule and subject.
select * from r_other_rules where status = 'short' order by rule_id, subject_code
