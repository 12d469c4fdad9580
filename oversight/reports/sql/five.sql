-- A row is one of the 五有: how many townships of the scope have it whole.
-- Must hold: townships of which it is asked.
select
    s.pillar_no, s.pillar_zh, count(*) as due,
    count(case when s.status = 'met' then 1 end) as met,
    count(case when s.status = 'short' then 1 end) as short,
    count(case when s.status = 'not_reported' then 1 end) as not_reported
from detail.scorecard as s
inner join r_townships as t on s.township_code = t.township_code
where s.month = $month and s.status in ('met', 'short', 'not_reported')
group by s.pillar_no, s.pillar_zh
order by s.pillar_no
