-- A row is a public column whose meaning changed, with what it meant before, what it means now, and why.
-- Must hold: one row a day, table and column; the day is that of the program, the edition the one that says it.
{{ config(alias='table_changes') }}

with final as (
    select
        cast(e.edition_id as string) as edition_id,
        cast(c.changed_on as date) as changed_on,
        cast(c.table_name as string) as table_name,
        cast(c.column_name as string) as column_name,
        cast(c.before_zh as string) as before_zh,
        cast(c.after_zh as string) as after_zh,
        cast(c.reason_zh as string) as reason_zh
    from {{ ref('table_changes') }} as c
    cross join {{ source('inputs', 'edition') }} as e
)

select * from final
order by changed_on, table_name, column_name
