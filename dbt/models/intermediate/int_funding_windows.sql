-- A row is the months of a fiscal year in which a money standard is in force for a township, as known from a month on.
-- Must hold: what is issued later is not known earlier; a later rule of the same issuer on the matter ends the earlier.
{{ config(
    materialized='incremental', on_schema_change='fail',
    pre_hook="{{ forget(anew_year('fiscal_year')) }}"
) }}
with rules as (
    select
        s.standard_id, s.matter, s.document_id,
        coalesce(s.origin_issuer_code, d.issuer_code) as issuer_code,
        coalesce(s.accrual, 'monthly') as accrual,
        s.effective_from,
        {{ month_index('s.effective_from') }} as start_index,
        -- In force to the last day of its last month.
        case
            when s.effective_to is not null
                then {{ month_index('cast(' ~ dbt.dateadd('day', 1, 's.effective_to') ~ ' as date)') }} - 1
            else 999999
        end as end_index,
        {{ month_index('coalesce(s.issued_on, s.effective_from)') }} as issued_index
    from {{ ref('stg_standards') }} as s
    inner join {{ ref('stg_policy_documents') }} as d on s.document_id = d.document_id
    where s.formula in ('per_capita_by_tier', 'per_capita_marginal', 'flat_by_tier') and s.gradeable <> 'N'
),

covered as (
    select t.township_code, r.*
    from {{ ref('int_township_standards') }} as t
    inner join rules as r on t.standard_id = r.standard_id
),

replacing as (
    select
        earlier.standard_id, later.standard_id as later_id, later.start_index as replaced_index, later.issued_index
    from rules as earlier
    inner join rules as later
        on
            earlier.issuer_code = later.issuer_code
            and earlier.matter = later.matter
            and earlier.document_id <> later.document_id
            and earlier.effective_from < later.effective_from
),

years as (
    select fiscal_year, fiscal_year * 12 as january
    from {{ ref('int_months') }}
    where {{ anew_year('fiscal_year') }}
    group by fiscal_year
),

-- What is known changes in the months in which a standard is issued.
known as (
    select fiscal_year, january, january as known_index
    from years
    union
    select y.fiscal_year, y.january, r.issued_index as known_index
    from rules as r
    inner join years as y on r.issued_index > y.january and r.issued_index <= y.january + 11
),

epochs as (
    select
        k.*,
        coalesce(
            lead(k.known_index) over (partition by k.fiscal_year order by k.known_index asc nulls first) - 1,
            k.january + 11
        ) as known_until_index
    from known as k
),

replaced as (
    select c.township_code, c.standard_id, e.fiscal_year, e.known_index, min(r.replaced_index) as replaced_index
    from covered as c
    inner join replacing as r on c.standard_id = r.standard_id
    inner join covered as later on r.later_id = later.standard_id and c.township_code = later.township_code
    inner join epochs as e on r.issued_index <= e.known_index
    group by c.township_code, c.standard_id, e.fiscal_year, e.known_index
),

bounded as (
    select
        c.township_code, c.standard_id, c.matter, c.accrual, e.fiscal_year,
        e.known_index - e.january + 1 as known_number,
        e.known_until_index - e.january + 1 as known_until_number,
        case when c.start_index > e.january then c.start_index - e.january + 1 else 1 end as start_number,
        case
            when r.replaced_index <= c.end_index then r.replaced_index - 1
            else c.end_index
        end - e.january + 1 as end_number
    from covered as c
    inner join epochs as e on c.issued_index <= e.known_index
    left join replaced as r
        on
            c.township_code = r.township_code
            and c.standard_id = r.standard_id
            and e.fiscal_year = r.fiscal_year
            and e.known_index = r.known_index
),

final as (
    select
        township_code, standard_id, matter, accrual, fiscal_year, known_number, known_until_number, start_number,
        case when end_number > 12 then 12 else end_number end as end_number
    from bounded
    where start_number <= 12 and end_number >= start_number
)

select * from final
