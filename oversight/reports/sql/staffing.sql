-- A row is a standard on people: of how many townships of the scope each answer holds.
-- Must hold: only standards that ask something of somebody.
select
    standard_id, title_zh, unit, clause, gradeable, strength, document_title, force, issuer_code, origin_zh, matter,
    count(case when status in ('met', 'short', 'over', 'not_reported', 'unconfirmed') then 1 end) as due,
    count(case when status = 'met' then 1 end) as met,
    count(case when status = 'short' then 1 end) as short,
    count(case when status = 'over' then 1 end) as over,
    count(case when status = 'not_reported' then 1 end) as not_reported,
    count(case when status = 'unconfirmed' then 1 end) as unconfirmed,
    cast(coalesce(sum(case when status = 'short' then shortfall_persons end), 0) as bigint) as shortfall,
    count(case when counted_is_partial then 1 end) as partial
from r_staffing
group by
    standard_id, title_zh, unit, clause, gradeable, strength, document_title, force, issuer_code, origin_zh, matter
having count(case when status in ('met', 'short', 'over', 'not_reported', 'unconfirmed') then 1 end) > 0
order by standard_id
