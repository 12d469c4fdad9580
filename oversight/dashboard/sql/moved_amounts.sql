-- A row is a closed money finding with what it moved, its township and its rule.
-- Must hold: one row a finding.
select a.*, t.township_name, t.county_name, s.title_zh
from e.detail.moved_amounts as a
inner join e.standards as s on a.rule_id = s.standard_id
left join e.townships as t on a.township_code = t.township_code
