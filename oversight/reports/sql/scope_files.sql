-- A row is a file × county of the scope of which it has rows.
-- Must hold: a file in which nothing could be read belongs where the rest of its folder belongs.
with told as (
    select submission_id, township_code from reported.population
    union
    select submission_id, township_code from reported.budget
    union
    select submission_id, township_code from reported.staffing
),

homes as (
    select distinct
        s.submission_id, case when contains(s.file_name, '/') then split_part(s.file_name, '/', 1) end as home,
        t.county_code
    from submissions as s
    inner join told as r on s.submission_id = r.submission_id
    inner join townships as t on r.township_code = t.township_code
),

folders as (
    select home, min(county_code) as county_code
    from homes
    group by home
    having count(distinct county_code) = 1
),

final as (
    select distinct s.*, coalesce(h.county_code, f.county_code) as county_code
    from submissions as s
    left join homes as h on s.submission_id = h.submission_id
    left join folders as f on contains(s.file_name, '/') and split_part(s.file_name, '/', 1) = f.home
    where coalesce(h.county_code, f.county_code) in (select county_code from r_townships)
)

select * from final
