-- A row is a tier of a standard; a standard without tiers has one row without bounds.
-- Must hold: tiers of a standard neither overlap nor leave a gap.
{{ config(alias='standard_tiers') }}

with final as (
    select
        cast(t.standard_id as string) as standard_id,
        cast(t.tier_no as bigint) as tier_no,
        cast(t.tier_label as string) as tier_label,
        cast(t.lower_bound as bigint) as lower_bound,
        cast(t.lower_included as boolean) as lower_included,
        cast(t.upper_bound as bigint) as upper_bound,
        cast(t.upper_included as boolean) as upper_included,
        cast(t.value as decimal(18, 4)) as value,
        cast(t.value_max as decimal(18, 4)) as value_max,
        cast(t.unit as string) as unit,
        cast(t.quotation as string) as quotation
    from {{ ref('stg_standard_tiers') }} as t
)

select * from final
order by standard_id, tier_no
