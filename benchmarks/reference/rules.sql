-- Seeds, with the data folder's own rows in place of those of the same id.
insert into main.policy_documents by name select * from {seed:policy_documents} order by document_id;
insert into main.standards by name
select * exclude (accrual), coalesce(accrual, 'monthly') as accrual
from (
    from {seed:standards} where standard_id not in (select standard_id from {own:standards})
    union all by name from {own:standards}
)
order by standard_id;
insert into main.standard_tiers by name
from (
    from {seed:standard_tiers} where standard_id not in (select standard_id from {own:standard_tiers})
    union all by name from {own:standard_tiers}
)
order by standard_id, tier_no;
insert into detail.standard_measures by name
from (
    from {seed:standard_measures} where standard_id not in (select standard_id from {own:standard_measures})
    union all by name from {own:standard_measures}
)
order by standard_id, role, part_no;
insert into main.table_changes by name
select * from {seed:table_changes} cross join (select edition_id from main.edition) order by changed_on, table_name, column_name;
insert into detail.standard_parts by name
select m.standard_id, m.part_no, m.label_zh, m.measure_code as matter, s.standard_id as rule_id
from detail.standard_measures as m
join main.standards as s on s.matter = m.measure_code and s.gradeable <> 'N' and s.strength in ('must', 'principle')
where m.role = 'part' and m.threshold is null and s.standard_id <> m.standard_id
order by m.standard_id, m.part_no, s.standard_id;
