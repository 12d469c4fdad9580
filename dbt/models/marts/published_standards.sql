-- A row is a standard, in force or not, with its clause and quotation.
-- Must hold: one row an id.
{{ config(alias='standards') }}

with final as (
    select
        cast(s.standard_id as string) as standard_id,
        cast(s.document_id as string) as document_id,
        cast(s.clause as string) as clause,
        cast(s.quotation as string) as quotation,
        cast(s.title_zh as string) as title_zh,
        cast(s.matter as string) as matter,
        cast(s.scope_code as string) as scope_code,
        cast(s.subject_level as string) as subject_level,
        cast(s.topic_zh as string) as topic_zh,
        cast(s.metric_zh as string) as metric_zh,
        cast(s.formula as string) as formula,
        cast(s.comparator as string) as comparator,
        cast(s.unit as string) as unit,
        cast(s.period as string) as period,
        cast(s.population_basis as string) as population_basis,
        cast(s.population_date_rule as string) as population_date_rule,
        cast(s.edge_rule as string) as edge_rule,
        cast(s.strength as string) as strength,
        cast(s.severity as string) as severity,
        cast(s.gradeable as string) as gradeable,
        cast(s.not_judged_reason as string) as not_judged_reason,
        cast(s.effective_from as date) as effective_from,
        cast(s.effective_to as date) as effective_to,
        cast(s.deadline as date) as deadline,
        cast(s.issued_on as date) as issued_on,
        cast(s.recorded_on as date) as recorded_on,
        cast(s.last_confirmed_on as date) as last_confirmed_on,
        cast(s.confirm_within_months as bigint) as confirm_within_months,
        cast(s.ambiguity_zh as string) as ambiguity_zh,
        cast(s.example_zh as string) as example_zh,
        cast(s.report_valid_months as bigint) as report_valid_months,
        cast(s.decimals as bigint) as decimals,
        cast(s.origin_zh as string) as origin_zh,
        cast(s.origin_issuer_code as string) as origin_issuer_code,
        cast(coalesce(s.accrual, 'monthly') as string) as accrual
    from {{ ref('stg_standards') }} as s
)

select * from final
order by standard_id
