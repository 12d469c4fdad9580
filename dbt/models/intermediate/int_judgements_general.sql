-- A row is an answer owed under a general rule: rule × subject × period, with what was counted and what is asked.
-- Must hold: one row for each answer owed; silence is never zero and never met.
with owed as (
    select
        o.standard_id, o.subject_level, o.subject_code, o.subject_unit, o.county_code,
        o.month, o.last_day, o.end_index, o.is_unlisted,
        r.formula, r.least_value, r.most_value, r.included_count, r.decimals, r.deadline, r.is_simple
    from {{ ref('int_answers_owed') }} as o
    inner join {{ ref('int_rules') }} as r on o.standard_id = r.standard_id
    where
        o.judged_by = 'general'
        and (
            r.formula <> 'composite'
            or exists (
                select 1
                from {{ ref('stg_standard_measures') }} as m
                where m.standard_id = r.standard_id and m.threshold is not null
            )
        )
),

simple_values as (
    select
        v.standard_id, v.subject_unit, v.end_index, v.value, v.below, v.above,
        case when m.measure_code like '%_cny' then v.above else 0 end as half
    from {{ ref('int_measured') }} as v
    inner join {{ ref('int_rules') }} as r on v.standard_id = r.standard_id and r.is_simple
    inner join {{ ref('stg_standard_measures') }} as m
        on v.standard_id = m.standard_id and v.role = m.role and v.part_no = m.part_no
),

-- What each rule needs of its measures; `per` is the amount of denominator that the rule's figure is for.
needs as (
    select
        standard_id,
        cast(sum(case when role = 'numerator' and coalesce(required, true) then 1 else 0 end) as bigint) as numerators,
        cast(sum(case when role = 'denominator' then 1 else 0 end) as bigint) as denominators,
        cast(sum(case when role = 'part' then 1 else 0 end) as bigint) as parts_count,
        max(case when role = 'denominator' then threshold end) as per
    from {{ ref('stg_standard_measures') }}
    group by standard_id
),

compound_values as (
    select
        v.standard_id, v.subject_unit, v.end_index,
        max(case when v.role = 'value' then v.value end) as value,
        cast(sum(case when v.role = 'numerator' then v.value end) as decimal(18, 4)) as numerator,
        cast(sum(case
            when v.role = 'numerator' and coalesce(m.required, true) and v.value is not null then 1
            else 0
        end) as bigint) as numerators,
        cast(sum(case when v.role = 'denominator' then v.value end) as decimal(18, 4)) as denominator,
        cast(sum(case when v.role = 'denominator' and v.value is not null then 1 else 0 end) as bigint) as denominators,
        max(case when v.role = 'tier_key' then v.value end) as tier_key,
        {% for side in ['below', 'above'] %}
        max(case when v.role = 'tier_key' then v.{{ side }} end) as tier_key_{{ side }},
        cast(sum(case when v.role in ('value', 'numerator') then v.{{ side }} else 0 end) as decimal(18, 4))
            as {{ side }},
        cast(sum(case when v.role = 'denominator' then v.{{ side }} else 0 end) as decimal(18, 4))
            as denominator_{{ side }},
        {% endfor %}
        cast(sum(case when v.role in ('value', 'numerator') and m.measure_code like '%_cny' then v.above else 0 end)
            as decimal(18, 4)) as half,
        cast(sum(case when v.role = 'denominator' and m.measure_code like '%_cny' then v.above else 0 end)
            as decimal(18, 4)) as denominator_half,
        cast(sum(case when p.answer <> 'too_coarse' then 1 else 0 end) as bigint) as parts_known,
        cast(sum(case when p.answer in ('met', 'within_precision') then 1 else 0 end) as bigint) as parts_met,
        cast(sum(case when p.answer = 'too_coarse' then 1 else 0 end) as bigint) as parts_coarse,
        cast(sum(case when p.answer = 'within_precision' then 1 else 0 end) as bigint) as parts_rounded
    from {{ ref('int_measured') }} as v
    inner join {{ ref('int_rules') }} as r on v.standard_id = r.standard_id and not r.is_simple
    inner join {{ ref('stg_standard_measures') }} as m
        on v.standard_id = m.standard_id and v.role = m.role and v.part_no = m.part_no
    left join {{ ref('detail_part_answers') }} as p
        on
            v.role = 'part'
            and v.standard_id = p.standard_id
            and v.subject_unit = p.subject_unit
            and v.end_index = p.end_index
            and v.part_no = p.part_no
    where v.role <> 'unit'
    group by v.standard_id, v.subject_unit, v.end_index
),

-- Only rules with tiers by another figure look for their tier, and by an inner join: few rows, no nested loop.
tiers_found as (
    select c.standard_id, c.subject_unit, c.end_index, min(t.tier_no) as tier_no
    from compound_values as c
    inner join {{ ref('int_rules') }} as r on c.standard_id = r.standard_id and r.formula = 'floor_by_tier'
    inner join {{ ref('stg_standard_tiers') }} as t on c.standard_id = t.standard_id
    where
        (
            c.tier_key > coalesce(t.lower_bound, -1)
            or (c.tier_key = t.lower_bound and t.lower_included)
        )
        and (
            t.upper_bound is null
            or c.tier_key < t.upper_bound
            or (c.tier_key = t.upper_bound and t.upper_included)
        )
    group by c.standard_id, c.subject_unit, c.end_index
),

-- The least that any of the tiers asks in which the other figure may be.
least_tiers as (
    select c.standard_id, c.subject_unit, c.end_index, min(t.value) as least_tier_value
    from compound_values as c
    inner join {{ ref('int_rules') }} as r on c.standard_id = r.standard_id and r.formula = 'floor_by_tier'
    inner join {{ ref('stg_standard_tiers') }} as t on c.standard_id = t.standard_id
    where
        c.tier_key_above > 0
        and c.tier_key + c.tier_key_above > coalesce(t.lower_bound, -1)
        and (
            t.upper_bound is null
            or c.tier_key - c.tier_key_below < t.upper_bound
            or (c.tier_key - c.tier_key_below = t.upper_bound and t.upper_included)
        )
    group by c.standard_id, c.subject_unit, c.end_index
),

-- One pass over what is owed; a rule has its figure from one of the two sides.
answers as (
    select
        o.*,
        case when o.is_simple then s.value else c.value end as value,
        case when c.numerators >= n.numerators then c.numerator end as numerator,
        case when c.denominators >= n.denominators then c.denominator end as denominator,
        c.tier_key, w.value as tier_value, w.tier_label,
        coalesce(c.parts_known, 0) as parts_known, coalesce(c.parts_met, 0) as parts_met,
        coalesce(c.parts_coarse, 0) as parts_coarse, coalesce(c.parts_rounded, 0) as parts_rounded, n.parts_count,
        coalesce(n.per, 1) as per,
        {% for side in ['below', 'above', 'half'] %}
        coalesce(case when o.is_simple then s.{{ side }} else c.{{ side }} end, 0) as {{ side }},
        coalesce(c.denominator_{{ side }}, 0) as denominator_{{ side }},
        {% endfor %}
        l.least_tier_value
    from owed as o
    inner join needs as n on o.standard_id = n.standard_id
    left join simple_values as s
        on
            o.standard_id = s.standard_id
            and o.subject_unit = s.subject_unit
            and o.end_index = s.end_index
    left join compound_values as c
        on
            o.standard_id = c.standard_id
            and o.subject_unit = c.subject_unit
            and o.end_index = c.end_index
    left join tiers_found as t
        on
            o.standard_id = t.standard_id
            and o.subject_unit = t.subject_unit
            and o.end_index = t.end_index
    left join least_tiers as l
        on
            o.standard_id = l.standard_id
            and o.subject_unit = l.subject_unit
            and o.end_index = l.end_index
    left join {{ ref('stg_standard_tiers') }} as w on t.standard_id = w.standard_id and t.tier_no = w.tier_no
),

peers as (
    select
        o.standard_id, o.county_code, o.end_index,
        cast(sum(v.value) as decimal(18, 4)) as total,
        cast(sum(v.below) as decimal(18, 4)) as total_below,
        cast(sum(v.above) as decimal(18, 4)) as total_above,
        cast(count(v.value) as decimal(18, 0)) as reporting
    from {{ ref('int_answers_owed') }} as o
    inner join {{ ref('int_rules') }} as r on o.standard_id = r.standard_id and r.formula = 'relative_to_peers'
    inner join {{ ref('int_measured') }} as v
        on
            o.standard_id = v.standard_id
            and o.subject_unit = v.subject_unit
            and o.end_index = v.end_index
    where o.formula = 'relative_to_peers'
    group by o.standard_id, o.county_code, o.end_index
),

-- The figure asked and the figure found, whatever the shape of the rule.
measured as (
    select
        a.standard_id, a.subject_level, a.subject_code, a.subject_unit, a.month, a.last_day, a.formula,
        a.deadline, a.is_unlisted, a.most_value, a.parts_count, a.parts_known, a.parts_met, a.parts_coarse,
        a.parts_rounded,
        case
            when a.formula = 'coverage_of_units' and u.silent_count < u.units_count and u.roster_is_complete
                then u.units_count
            when a.formula in ('coverage', 'rate', 'benchmark', 'step', 'amount_by_counts') then a.denominator
            when a.formula = 'relative_to_peers' then p.reporting
            when a.formula = 'floor_by_tier' then a.tier_key
        end as denominator,
        case
            when a.formula = 'coverage_of_units' and u.silent_count < u.units_count and u.roster_is_complete
                then u.having_count
            when a.formula in ('coverage', 'rate', 'benchmark', 'step') then a.numerator
            when a.formula = 'relative_to_peers' then p.total
        end as numerator,
        a.tier_label,
        u.units_count, u.having_count, u.silent_count, u.roster_is_complete,
        case
            when a.formula in ('boolean', 'name_pattern') and a.value >= 1 then cast(1 as decimal(18, 4))
            when a.formula in ('boolean', 'name_pattern') then a.value
            when a.formula in ('coverage', 'rate', 'benchmark') and a.value is null
                then {{ ratio(
                    'a.numerator', 'a.denominator', "case when a.formula = 'coverage' then 100 else a.per end"
                ) }}
            when a.formula = 'step' then a.numerator
            when a.formula in ('floor_by_tier', 'amount_by_counts') then coalesce(a.value, a.numerator)
            when a.formula = 'composite' and a.parts_known + a.parts_coarse > 0 then cast(a.parts_met as decimal(18, 4))
            when a.formula = 'coverage_of_units' and u.silent_count < u.units_count and u.roster_is_complete
                then {{ ratio('u.having_count', 'u.units_count', '100') }}
            else a.value
        end as checked,
        case
            when a.formula in ('boolean', 'name_pattern') then cast(1 as decimal(18, 4))
            when a.formula = 'step' then
                a.least_value
                + case
                    when a.denominator > a.included_count
                        then {{ steps_up('(a.denominator - a.included_count)', 'a.per') }}
                    when a.denominator is not null then cast(0 as decimal(18, 4))
                end
            when a.formula = 'composite' then cast(a.parts_count as decimal(18, 4))
            when a.formula = 'relative_to_peers' then {{ ratio('p.total * a.least_value', 'p.reporting', '1') }}
            when a.formula = 'floor_by_tier' then a.tier_value
            when a.formula = 'amount_by_counts' then a.least_value + a.denominator
            else a.least_value
        end as expected,
        a.below, a.above, a.half, a.denominator_below, a.denominator_above, a.denominator_half, a.least_value, a.per,
        a.least_tier_value, a.included_count, a.value as value_itself, p.total, p.reporting,
        p.total_below, p.total_above,
        a.decimals
    from answers as a
    left join peers as p
        on a.standard_id = p.standard_id and a.county_code = p.county_code and a.end_index = p.end_index
    left join {{ ref('int_unit_shares') }} as u
        on
            a.standard_id = u.standard_id
            and a.subject_level = u.subject_level
            and a.subject_code = u.subject_code
            and a.month = u.month
),

-- Two numbers to compare, exactly, by multiplying out: a rounded percentage could meet what the counts do not. Beside
-- each how much less or more may have been meant, `scale` times as much as in the figure's own unit.
sides as (
    select
        m.*,
        {{ sides_of_rules() }}
    from measured as m
),

limits as (
    {{ minor_amounts() }}
),

compared as (
    select
        s.*,
        s.found < s.asked as is_less,
        {{ is_surely_less('s.found', 's.found_above', 's.asked - s.asked_below') }} as is_surely_short,
        -- Too coarse to say: both answers may be meant, and what amounts leave open is wider than is minor.
        coalesce(
            s.half_times > 0
            and not {{ is_surely_less('s.found', 's.found_above', 's.asked - s.asked_below') }}
            and s.found - s.found_below < s.asked + s.asked_above
            and s.half_times > cast(z.below_amount as decimal(12, 2)) * cast(s.scale as decimal(20, 4))
            and cast(s.half_times as decimal(30, 4)) * cast(100 as decimal(3, 0))
            > cast(s.asked as decimal(30, 4)) * cast(z.below_pct as decimal(8, 4)),
            false
        ) as is_too_coarse
    from sides as s
    cross join limits as z
),

judged as (
    select
        m.*,
        case
            when m.formula in ('coverage', 'rate', 'benchmark') and m.denominator = 0 then 'nothing_to_count'
            when m.formula = 'step' and m.denominator = 0 then 'nothing_to_count'
            when m.formula = 'amount_by_counts' and m.expected = 0 then 'nothing_to_count'
            when m.is_unlisted and m.checked is null then 'unlisted'
            when m.formula = 'coverage_of_units' and m.units_count is null and m.checked is null then 'unlisted'
            when m.formula = 'coverage_of_units' and not m.roster_is_complete and m.checked is null
                then 'roster_incomplete'
            when m.formula = 'composite' and m.parts_coarse > 0 and m.parts_known = m.parts_met then 'too_coarse'
            when m.formula = 'composite' and m.parts_rounded > 0 and m.parts_met = m.parts_count
                then 'within_precision'
            when m.checked is null or m.expected is null or m.formula in ('benchmark', 'composite') then null
            when m.is_too_coarse then 'too_coarse'
            when m.is_less and not m.is_surely_short then 'within_precision'
        end as reason,
        case
            when m.formula in ('coverage', 'rate', 'benchmark', 'step') and m.denominator = 0 then 'not_applicable'
            when m.formula = 'amount_by_counts' and m.expected = 0 then 'not_applicable'
            when m.checked is null or m.expected is null then 'not_reported'
            when m.formula = 'composite' and m.parts_known > m.parts_met then 'short'
            when m.formula = 'composite' and m.parts_known < m.parts_count then 'not_reported'
            when m.formula = 'benchmark' then
                case
                    when {{ round_half_up_to('m.checked', 'm.decimals') }} = m.expected then 'met'
                    else 'short'
                end
            -- Units that are silent decide only where they can no longer change the answer.
            when m.formula = 'coverage_of_units' and m.silent_count > 0 and m.is_less then
                case
                    when
                        cast(m.having_count + m.silent_count as decimal(18, 4)) * cast(100 as decimal(18, 4))
                        < cast(m.units_count as decimal(18, 4)) * cast(m.expected as decimal(18, 4))
                        then 'short'
                    else 'not_reported'
                end
            when m.is_too_coarse then 'not_reported'
            when m.is_surely_short then 'short'
            when m.formula = 'exact' and m.found - m.found_below > m.expected then 'over'
            when m.formula = 'range' and m.found - m.found_below > m.most_value then 'over'
            else 'met'
        end as status,
        {{ ratio(
            'm.numerator', '(m.denominator - m.denominator_below)',
            "case when m.formula = 'coverage' then 100 else m.per end"
        ) }} as least_ratio
    from compared as m
),

final as (
    select
        standard_id as rule_id, subject_level, subject_code, subject_unit, month,
        status,
        cast(checked as decimal(18, 4)) as value_checked,
        cast(expected as decimal(18, 4)) as value_expected,
        cast(case
            when status = 'not_applicable' or checked is null or expected is null then null
            -- Parts that nobody reported on are unknown, not lacking.
            when formula = 'composite' and status = 'not_reported' then null
            when formula = 'composite' then cast(parts_known - parts_met as decimal(18, 4))
            when formula = 'benchmark' and expected > checked then expected - checked
            when formula = 'benchmark' then checked - expected
            when reason = 'too_coarse' then null
            when reason = 'within_precision' then 0
            -- Of a range of people, or of what it guarantees, by the least.
            when formula in ('coverage', 'rate') and denominator_below > 0 and status = 'short' then
                -- What is too little to show is still missing.
                case
                    when expected > least_ratio then expected - least_ratio
                    else cast(0.0001 as decimal(18, 4))
                end
            when formula in ('amount_by_counts', 'step', 'floor_by_tier') and asked_below > 0
                then {{ missing('cast(expected - asked_below as decimal(18, 4))', 'checked') }}
            else {{ missing('expected', 'checked') }}
        end as decimal(18, 4)) as shortfall,
        reason,
        cast(numerator as decimal(18, 4)) as numerator,
        cast(denominator as decimal(18, 4)) as denominator,
        cast(tier_label as string) as tier_label
    from judged
)

select * from final
