-- A row is a money finding that was closed because the rule was met: by how much provision or payment rose until then.
-- Must hold: from 0 up to the shortfall that was open at the beginning; what cannot be told is null and says why.
{{ config(alias='moved_amounts') }}

with notices as (
    select current_finding_id as finding_id, min(recorded_on) as notified_on
    from {{ ref('detail_finding_notes') }}
    where kind = 'notice' and current_finding_id is not null
    group by current_finding_id
),

closed as (
    select
        f.finding_id, f.rule_id, f.subject_unit, f.opened_month, f.cleared_month, n.notified_on
    from {{ ref('int_findings') }} as f
    left join notices as n on f.finding_id = n.finding_id
    where f.status = 'cleared' and f.subject_level = 'township'
),

rules as (
    select rule_id from closed
    group by rule_id
),

-- Allocation is answered every month, payment in the months in which its rule is judged.
answers as (
    select
        'allocated' as measure, a.standard_id as rule_id, a.unit_id, a.township_code, a.month, a.is_binding,
        a.allocated_annual_cny as amount_cny, a.allocation_shortfall_cny as shortfall_cny
    from {{ ref('int_funding_answers') }} as a
    inner join rules as r on a.standard_id = r.rule_id
    union all
    select
        'disbursed' as measure, p.rule_id, p.unit_id, p.township_code, p.month, p.is_binding,
        p.disbursed_ytd_cny as amount_cny, p.payment_shortfall_cny as shortfall_cny
    from {{ ref('int_payment_answers') }} as p
    inner join rules as r on p.rule_id = r.rule_id
),

-- What the notice could rest on: the last answer of a month that had ended by its day, of those of the spell.
starts as (
    select
        c.finding_id,
        max(case
            when a.month = c.opened_month or cast({{ dbt.last_day('a.month', 'month') }} as date) <= c.notified_on
                then a.month
        end) as from_month
    from closed as c
    inner join answers as a
        on
            c.rule_id = a.rule_id
            and c.subject_unit = a.unit_id
            and c.opened_month <= a.month
            and c.cleared_month >= a.month
    group by c.finding_id
),

-- Amounts of two different areas are not compared.
takeovers as (
    select s.finding_id
    from starts as s
    inner join closed as c on s.finding_id = c.finding_id
    inner join {{ ref('detail_takeovers') }} as t
        on
            c.subject_unit = t.heir_unit_id
            and s.from_month < t.since_month
            and c.cleared_month >= t.since_month
    group by s.finding_id
),

compared as (
    select
        c.*, s.from_month, b.measure, e.township_code,
        b.township_code as from_township_code,
        b.amount_cny as from_cny, b.shortfall_cny, e.amount_cny as to_cny, e.is_binding,
        case
            when b.shortfall_cny is null or b.amount_cny is null then 'start_unknown'
            when e.amount_cny is null then 'end_unknown'
            when t.finding_id is not null then 'area_changed'
        end as unknown_reason
    from closed as c
    inner join starts as s on c.finding_id = s.finding_id
    inner join answers as b on c.rule_id = b.rule_id and c.subject_unit = b.unit_id and s.from_month = b.month
    inner join answers as e on c.rule_id = e.rule_id and c.subject_unit = e.unit_id and c.cleared_month = e.month
    left join takeovers as t on c.finding_id = t.finding_id
),

-- The reports that the two amounts rest on, known for the working funds, and where they came from.
placed as (
    select
        c.*,
        {% for name, row in [('from', 'f'), ('to', 'g')] %}
        case c.measure when 'allocated' then {{ row }}.allocated_as_of_month else {{ row }}.disbursed_as_of_month end
            as {{ name }}_report_month,
        case c.measure when 'allocated' then {{ row }}.allocated_source else {{ row }}.disbursed_source end
            as {{ name }}_source{{ ',' if not loop.last }}
        {% endfor %}
    from compared as c
    inner join {{ ref('stg_standards') }} as s on c.rule_id = s.standard_id
    left join {{ ref('funding_gap_monthly') }} as f
        on c.from_township_code = f.township_code and c.from_month = f.month and s.matter = 'working_funds'
    left join {{ ref('funding_gap_monthly') }} as g
        on c.township_code = g.township_code and c.cleared_month = g.month and s.matter = 'working_funds'
),

final as (
    select
        cast(p.finding_id as string) as finding_id,
        cast(p.rule_id as string) as rule_id,
        cast(p.township_code as string) as township_code,
        cast(p.subject_unit as string) as unit_id,
        cast(p.measure as string) as measure,
        cast(p.notified_on as date) as notified_on,
        cast(case when p.notified_on is null then 'opened' else 'notice' end as string) as begins_with,
        cast(p.from_month as date) as from_month,
        cast(p.cleared_month as date) as month,
        cast(p.from_cny as decimal(18, 2)) as from_cny,
        cast(p.to_cny as decimal(18, 2)) as to_cny,
        cast(p.shortfall_cny as decimal(18, 2)) as open_shortfall_cny,
        cast(case
            when p.unknown_reason is not null then null
            when p.to_cny <= p.from_cny then 0
            when p.to_cny - p.from_cny >= p.shortfall_cny then p.shortfall_cny
            else p.to_cny - p.from_cny
        end as decimal(18, 2)) as moved_cny,
        cast(p.unknown_reason as string) as unknown_reason,
        cast(extract(year from p.from_month) <> extract(year from p.cleared_month) as boolean) as is_of_two_years,
        -- Of several standards for the same money the binding one asks for the most: what it moved holds the others'.
        cast(coalesce(p.is_binding, false) as boolean) as is_counted_in_totals,
        cast(p.from_report_month as date) as from_report_month,
        cast(b.submission_id as string) as from_submission_id,
        cast(b.sheet as string) as from_sheet,
        cast(b.row_number as bigint) as from_row_number,
        cast(p.to_report_month as date) as to_report_month,
        cast(e.submission_id as string) as to_submission_id,
        cast(e.sheet as string) as to_sheet,
        cast(e.row_number as bigint) as to_row_number
    from placed as p
    left join {{ ref('reported_budget') }} as b
        on
            p.from_township_code = b.township_code
            and p.from_report_month = b.month
            and b.source = p.from_source
            and b.is_current
    left join {{ ref('reported_budget') }} as e
        on
            p.township_code = e.township_code
            and p.to_report_month = e.month
            and e.source = p.to_source
            and e.is_current
)

select * from final
order by township_code, month, finding_id
