{# Two numbers of a row of `measured` (as `m`) to compare, multiplied out, each with how much less or more may have been
   meant; `half_times` is what amounts of money leave open, `scale` how often a figure's own unit is counted. #}
{% macro sides_of_rules() -%}
    {% set cases = [
        ("m.formula = 'coverage' and m.value_itself is null", {
            'found': 'm.numerator * 100', 'found_below': 'm.below * 100', 'found_above': 'm.above * 100',
            'asked': 'm.denominator * m.least_value', 'asked_below': 'm.denominator_below * m.least_value',
            'asked_above': 'm.denominator_above * m.least_value',
            'half': 'm.half * 100 + m.denominator_half * m.least_value', 'scale': '100'
        }),
        ("m.formula = 'rate' and m.value_itself is null", {
            'found': 'm.numerator * m.per', 'found_below': 'm.below * m.per', 'found_above': 'm.above * m.per',
            'asked': 'm.denominator * m.least_value', 'asked_below': 'm.denominator_below * m.least_value',
            'asked_above': 'm.denominator_above * m.least_value',
            'half': 'm.half * m.per + m.denominator_half * m.least_value', 'scale': 'm.per'
        }),
        ("m.formula = 'relative_to_peers' and m.reporting > m.least_value", {
            'found': 'm.checked * (m.reporting - m.least_value)',
            'found_below': 'm.below * (m.reporting - m.least_value)',
            'found_above': 'm.above * (m.reporting - m.least_value)',
            'asked': '(m.total - m.checked) * m.least_value',
            'asked_below': '(m.total_below - m.below) * m.least_value',
            'asked_above': '(m.total_above - m.above) * m.least_value',
            'half': 'm.half * m.reporting', 'scale': 'm.reporting'
        }),
        ("m.formula = 'relative_to_peers'", {
            'found': 'm.checked * m.reporting', 'found_below': '0', 'found_above': '0',
            'asked': 'm.total * m.least_value', 'asked_below': '0', 'asked_above': '0', 'half': '0', 'scale': '1'
        }),
        ("m.formula = 'coverage_of_units' and m.units_count is not null and m.value_itself is null", {
            'found': 'm.having_count * 100', 'found_below': '0', 'found_above': '0',
            'asked': 'm.units_count * m.least_value', 'asked_below': '0', 'asked_above': '0',
            'half': '0', 'scale': '100'
        }),
        ("m.formula = 'step' and m.denominator > m.included_count", {
            'found': 'm.checked', 'found_below': 'm.below', 'found_above': 'm.above', 'asked': 'm.expected',
            'asked_below': 'm.expected - m.least_value - ' ~ steps_up(
                'case when m.denominator - m.denominator_below > m.included_count'
                ~ ' then m.denominator - m.denominator_below - m.included_count else 0 end', 'm.per'),
            'asked_above': '0', 'half': 'm.half', 'scale': '1'
        }),
        ("true", {
            'found': 'm.checked', 'found_below': 'm.below', 'found_above': 'm.above', 'asked': 'm.expected',
            'asked_below': "case when m.formula = 'amount_by_counts' then m.denominator_below
                when m.least_tier_value < m.expected then m.expected - m.least_tier_value else 0 end",
            'asked_above': "case when m.formula = 'amount_by_counts' then m.denominator_above else 0 end",
            'half': "m.half + case when m.formula = 'amount_by_counts' then m.denominator_half else 0 end",
            'scale': '1'
        })
    ] %}
    {% for name in ['found', 'found_below', 'found_above', 'asked', 'asked_below', 'asked_above', 'half', 'scale'] %}
    cast(case
        {% for condition, sides in cases %}
        when {{ condition }} then {{ sides[name] }}
        {% endfor %}
    end as decimal({{ '30, 4' if name in ('half', 'scale') else '38, 8' }})) as {{ name ~ '_times' if name == 'half' else name }}{{ ',' if not loop.last }}
    {% endfor %}
{%- endmacro %}
