-- A row is a county, city or province with a township in the edition.
-- Must hold: one row a code; `level_no` is 1 for counties, the smallest.
select distinct 1 as level_no, 'county' as level, county_code as code, county_name as name from townships
union all
select distinct 2 as level_no, 'city' as level, city_code as code, city_name as name from townships
union all
select distinct 3 as level_no, 'province' as level, province_code as code, province_name as name from townships
order by level_no, code
