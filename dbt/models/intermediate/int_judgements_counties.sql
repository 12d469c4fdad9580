-- A row is a county × month × rule that each township's working funds stand as a line of their own and come in full.
-- Must hold: in full is budgeted and, by December's answer until the next, paid; one failing makes the county short;
-- a county whose last township ended has its answer too: there is nothing to list.
with rules as (
    select
        standard_id, effective_from, effective_to, {{ scope_prefix('scope_code') }} as scope_prefix
    from {{ ref('stg_standards') }}
    where formula = 'county_listed_separately' and gradeable <> 'N' and strength <> 'plan'
),

townships as (
    select
        r.standard_id, m.county_code, m.month,
        b.is_listed_separately, f.status,
        -- No December yet: nothing is said of payment.
        coalesce(p.payment_status, 'met') as payment_status
    from {{ ref('int_township_months') }} as m
    inner join rules as r
        on
            substr(m.township_code, 1, cast(length(r.scope_prefix) as int)) = r.scope_prefix
            and r.effective_from <= m.last_day
            and (r.effective_to is null or r.effective_to >= m.last_day)
    left join {{ ref('int_township_budget') }} as b on m.township_code = b.township_code and m.month = b.month
    left join {{ ref('funding_gap_monthly') }} as f on m.township_code = f.township_code and m.month = f.month
    left join {{ ref('int_payment_answers') }} as p
        on
            m.unit_id = p.unit_id
            and p.is_binding
            and p.month = case
                when m.month_number = 12 then m.month
                else cast({{ dbt.dateadd('month', 'cast(-m.month_number as int)', 'm.month') }} as date)
            end
    where m.is_township
),

counted as (
    select
        standard_id, county_code, month,
        cast(count(*) as bigint) as townships_count,
        cast(sum(case
            when is_listed_separately and status = 'met' and payment_status = 'met' then 1 else 0
        end) as bigint) as kept_count,
        cast(sum(case
            when not is_listed_separately or status = 'short' or payment_status = 'short' then 1 else 0
        end) as bigint) as broken_count
    from townships
    group by standard_id, county_code, month
),

asked as (
    select standard_id, subject_code, subject_unit, month
    from {{ ref('int_answers_owed') }}
    where formula = 'county_listed_separately' and subject_level = 'county'
),

final as (
    select
        a.standard_id as rule_id,
        'county' as subject_level,
        a.subject_code,
        a.subject_unit,
        a.month,
        case
            when c.townships_count is null then 'not_applicable'
            when c.broken_count > 0 then 'short'
            when c.kept_count < c.townships_count then 'not_reported'
            else 'met'
        end as status,
        cast(c.kept_count as decimal(18, 4)) as value_checked,
        cast(c.townships_count as decimal(18, 4)) as value_expected,
        cast(c.broken_count as decimal(18, 4)) as shortfall
    from asked as a
    left join counted as c
        on a.standard_id = c.standard_id and a.subject_code = c.county_code and a.month = c.month
)

select * from final
