-- A row is a payment of the treasury as one file gave it; every version stays, with file, sheet and row.
-- Must hold: a voucher counts once, in its latest version; a later list that says it has all replaces what came before.
{{ config(
    alias='payments',
    materialized='incremental', on_schema_change='fail',
    pre_hook="{{ forget(anew('month') ~ ' or month is null') }}"
) }}

{# Without a number each row is a voucher of its own. #}
{% set voucher = "coalesce(voucher_no, submission_id || '/' || cast(row_number as string))" %}

with payments as (
    select * from {{ source('inputs', 'payments') }}
    where {{ anew('month') }} or month is null
),

coverage as (
    select source, fund_code, month, division_code, max(precedence) as precedence
    from {{ source('inputs', 'payment_coverage') }}
    where {{ anew('month') }}
    group by source, fund_code, month, division_code
),

last_versions as (
    select
        source, township_code, fund_code, {{ voucher }} as voucher, max(precedence) as precedence
    from payments
    where row_status = 'accepted'
    group by source, township_code, fund_code, {{ voucher }}
),

counted as (
    select p.submission_id, p.sheet, p.row_number
    from payments as p
    inner join last_versions as l
        on
            p.source = l.source
            and p.township_code = l.township_code
            and p.fund_code = l.fund_code
            and coalesce(p.voucher_no, p.submission_id || '/' || cast(p.row_number as string)) = l.voucher
            and p.precedence = l.precedence
    left join coverage as c
        on
            p.source = c.source
            and p.fund_code = c.fund_code
            and p.month = c.month
            and substr(p.township_code, 1, 6) = c.division_code
            and p.precedence < c.precedence
    where p.row_status = 'accepted' and c.precedence is null
),

final as (
    select
        p.*,
        c.submission_id is not null as is_latest,
        c.submission_id is not null as is_current
    from payments as p
    left join counted as c
        on
            p.submission_id = c.submission_id
            and p.row_number = c.row_number
            and coalesce(p.sheet, '') = coalesce(c.sheet, '')
)

select * from final
order by extract(year from month), township_code, month, submission_id, sheet, row_number
