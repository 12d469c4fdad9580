-- One row: how many files speak of the scope's month, and what became of them.
-- Must hold: a file counts once, whatever counties it speaks of.
with covering as (
    select * from r_files where month_from <= $month and month_to >= $month
),

final as (
    select
        count(distinct case when status <> 'duplicate' then submission_id end) as files,
        count(distinct case when status = 'partial' then submission_id end) as partial,
        (select count(distinct submission_id) from r_files where status = 'refused') as refused,
        count(distinct case when is_correction then submission_id end) as corrections
    from covering
)

select * from final
