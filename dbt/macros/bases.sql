{# What a unit and all it took over come to. `wanted` has unit_id, fiscal_year, population_basis and upto_index, until
   when takeovers count; `members` has the bases of those taken over. A new code made of others rests on them unless
   it reported itself in the year before. #}
{% macro whole_base(wanted, members) -%}
    select
        w.unit_id, w.fiscal_year, w.population_basis, w.upto_index, w.is_founded,
        o.population_persons as own_persons, o.population_written_to as own_written_to,
        o.population_month as own_month, o.population_township_code as own_township_code,
        o.population_is_fallback as own_is_fallback, o.population_is_stale as own_is_stale,
        {% for name, condition in [('every', 'true'), ('later', month_index('o.population_month') ~ ' < l.since_index')] %}
        cast(sum(case when l.unit_id is not null and {{ condition }} then 1 else 0 end) as bigint) as {{ name }}_count,
        cast(sum(case when m.population_persons is not null and {{ condition }} then 1 else 0 end) as bigint)
            as {{ name }}_known,
        cast(sum(case when {{ condition }} then m.population_persons end) as bigint) as {{ name }}_persons,
        cast(sum(case when {{ condition }} then m.population_written_to end) as decimal(18, 2)) as {{ name }}_written_to,
        max(case when {{ condition }} and m.population_is_fallback then 1 else 0 end) as {{ name }}_is_fallback,
        max(case when {{ condition }} and m.population_is_stale then 1 else 0 end) as {{ name }}_is_stale,
        {% endfor %}
        min(m.population_month) as every_month,
        min(m.population_township_code) as every_township_code
    from {{ wanted }} as w
    left join own as o
        on w.unit_id = o.unit_id and w.fiscal_year = o.fiscal_year and w.population_basis = o.population_basis
    left join links as l
        on w.unit_id = l.heir_unit_id and l.since_index <= w.upto_index and l.since_index <= w.fiscal_year * 12 + 11
    left join {{ members }} as m
        on l.unit_id = m.unit_id and w.fiscal_year = m.fiscal_year and w.population_basis = m.population_basis
    group by
        w.unit_id, w.fiscal_year, w.population_basis, w.upto_index, w.is_founded,
        o.population_persons, o.population_written_to, o.population_month, o.population_township_code,
        o.population_is_fallback, o.population_is_stale
{%- endmacro %}
{% macro chosen_base(summed) -%}
    select
        s.unit_id, s.fiscal_year, s.population_basis, s.upto_index,
        case
            when s.own_is_known then s.own_persons + coalesce(s.later_persons, 0)
            when s.others_are_known then s.every_persons
        end as population_persons,
        case
            when s.rests_on_own then s.own_written_to + coalesce(s.later_written_to, 0)
            when s.rests_on_others then s.every_written_to
        end as population_written_to,
        -- Of a number that is not known there is no month either.
        case
            when s.own_is_known then s.own_month
            when s.others_are_known then s.every_month
        end as population_month,
        case
            when s.own_is_known then s.own_township_code
            when s.others_are_known then s.every_township_code
        end as population_township_code,
        case
            when s.own_is_known then s.own_is_fallback or s.later_is_fallback = 1
            when s.others_are_known then s.every_is_fallback = 1
        end as population_is_fallback,
        case
            when s.own_is_known then s.own_is_stale or s.later_is_stale = 1
            when s.others_are_known then s.every_is_stale = 1
        end as population_is_stale,
        (s.rests_on_own and s.later_count > 0) or s.rests_on_others as sums_predecessors
    from (
        select
            r.*,
            r.rests_on_own and r.later_known = r.later_count as own_is_known,
            r.rests_on_others and r.every_known = r.every_count as others_are_known
        from (
        select
            a.*,
            a.own_persons is not null and (
                not a.is_founded
                or not (a.own_is_fallback or a.own_is_stale)
                or a.every_count = 0 or a.every_known < a.every_count or a.every_is_stale = 1
            ) as rests_on_own,
            a.is_founded and a.every_count > 0 and (
                a.own_persons is null
                or (
                    (a.own_is_fallback or a.own_is_stale)
                    and a.every_known = a.every_count and a.every_is_stale = 0
                )
            ) as rests_on_others
        from {{ summed }} as a
        ) as r
    ) as s
{%- endmacro %}
