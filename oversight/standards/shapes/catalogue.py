"""Every shape of rule that can be judged. A new one: here, and its arithmetic in dbt/models/intermediate."""

from __future__ import annotations

from oversight.standards.shapes.shape import NOTHING, Shape

PEOPLE = frozenset(
    {"dedicated_staff_persons", "welfare_posts_persons", "purchased_service_persons", "part_time_persons"}
)
POSTS = frozenset({"administrative_posts", "institution_posts"})
VILLAGES = frozenset({"villages_count", "villages_with_assistant_count"})

_ROUNDED = "四舍五入到四位小数"
_VALUE = (frozenset({"value"}),)
_RATIO = (frozenset({"numerator", "denominator"}),)
_VALUE_OR_RATIO = (*_VALUE, *_RATIO)
_BY_POPULATION = frozenset({"population_basis", "population_date_rule", "edge_rule"})
_BOUNDS = frozenset({"lower_bound", "lower_included", "upper_bound", "upper_included"})
_HELD = frozenset({"report_valid_months"})
_ADDED = frozenset({"combine", "years_back"})
_EACH = frozenset({"combine", "years_back", "factor"})


def _money(name: str, label: str, meaning: str, units: set[str]) -> Shape:
    return Shape(
        name,
        label,
        meaning,
        explained="funding",
        columns=frozenset({"allocated_annual_cny"}),
        units=frozenset(units),
        tiers="by_population",
        reads=_BY_POPULATION | {"accrual"},
        tier_reads=_BOUNDS,
    )


_ALL = (
    _money(
        "per_capita_by_tier",
        "按人口分档、按人计费",
        "按人口分档的经费：全部人口按所在档的费率",
        {"元/人·月", "元/人·年"},
    ),
    _money(
        "per_capita_marginal",
        "按人口分段、各段分别计费",
        "超额累进：各段人口各按本段费率，相加",
        {"元/人·月", "元/人·年"},
    ),
    _money("flat_by_tier", "按人口分档定额", "按人口分档的定额", {"元/年", "元/月"}),
    Shape(
        "paid_in_full",
        "按标准足额拨付",
        "经费标准的拨付规则：年末累计拨付不低于应保障数",
        explained="payment",
        columns=frozenset({"disbursed_ytd_cny"}),
        units=frozenset({"倍"}),
    ),
    Shape(
        "staff_floor",
        "人数不低于下限",
        "各类人员之和不少于最低数；只知道一部分而已达到的算达到",
        explained="staffing",
        columns=PEOPLE,
        units=frozenset({"人"}),
    ),
    Shape(
        "staff_range_by_tier",
        "按人口分档的人数区间",
        "各类人员之和，按人口分档的最低数和建议上限",
        explained="staffing",
        columns=PEOPLE,
        units=frozenset({"人"}),
        tiers="by_population",
        reads=_BY_POPULATION,
        tier_reads=_BOUNDS | {"value_max"},
    ),
    Shape(
        "posts_parts",
        "各类编制数分别不低于下限",
        "各类编制各有最低数",
        explained="staffing",
        roles=(frozenset({"part"}),),
        columns=POSTS,
        units=frozenset({"名"}),
        measure_reads={"part": frozenset({"threshold"})},
    ),
    Shape(
        "village_coverage",
        "每村（社区）至少1名",
        "每个村（社区）都已配备，由乡镇报送的个数判断",
        explained="villages",
        roles=_RATIO,
        columns=VILLAGES,
        units=frozenset({"人/村"}),
    ),
    Shape(
        "county_listed_separately",
        "单独列支并足额",
        "县内每个乡镇单独列支且足额",
        explained="listed",
        columns=frozenset({"is_listed_separately"}),
        units=frozenset({"是/否"}),
    ),
    Shape("boolean", "应当具备", "应当具备（是、否）", reads=_HELD, remark="是为 1，否为 0",
          measure_reads={"value": frozenset({"years_back"})}),
    Shape("floor", "不低于下限", "不少于最低数", reads=_HELD, measure_reads={"value": _ADDED}),
    Shape(
        "frequency",
        "每期次数",
        "每期次数，逐期单独判定；期内各次相加（combine=sum）",
        reads=_HELD,
        measure_reads={"value": _ADDED},
    ),
    Shape(
        "exact",
        "等于规定数",
        "等于：少为不达标，多只作提示",
        reads=_HELD,
        measure_reads={"value": _ADDED},
    ),
    Shape(
        "range",
        "在规定区间内",
        "区间：低于下限不达标，高于上限只作提示",
        reads=_HELD,
        tier_reads=frozenset({"value_max"}),
        measure_reads={"value": _ADDED},
    ),
    Shape(
        "name_pattern",
        "名称符合规定",
        "名称符合几种式样之一",
        reads=_HELD,
        measure_reads={"value": frozenset({"pattern"})},
    ),
    Shape(
        "coverage",
        "覆盖率",
        "分子占分母的百分数；分母可以是几项相加、每项各计多少（factor），如每人 7 元乘人口",
        roles=_VALUE_OR_RATIO,
        reads=_HELD,
        measure_reads={"value": _ADDED, "numerator": _EACH, "denominator": _EACH},
        checked="{numerator} ÷ {denominator} × 100",
        remark=_ROUNDED,
    ),
    Shape(
        "rate",
        "按比例计算",
        "每多少分母多少：每百户、每名对象、占上年拨付的百分比",
        roles=_VALUE_OR_RATIO,
        reads=_HELD,
        measure_reads={"value": _ADDED, "numerator": _EACH, "denominator": _EACH | {"threshold"}},
        checked="{numerator} ÷ {denominator} × {per}",
        remark=_ROUNDED,
    ),
    Shape(
        "step",
        "按人口或村数递增",
        "进位取整：1:3、每万人 1 名、基数加每再多少 1 名",
        roles=_RATIO,
        reads=_HELD,
        tier_reads=frozenset({"lower_bound", "lower_included"}),
        measure_reads={"numerator": _EACH, "denominator": _EACH | {"threshold"}},
        expected="{base} + {beyond} ÷ {per}",
        remark="不足一个的进一",
    ),
    Shape(
        "amount_by_counts",
        "按数计费、各项相加",
        "不低于各项数量各乘每一个的金额之和（另可加定额）：每村若干元加每名对象若干元、每人每年 7 元",
        roles=(frozenset({"value", "denominator"}), frozenset({"numerator", "denominator"})),
        reads=_HELD,
        measure_reads={"value": _ADDED, "numerator": _EACH, "denominator": _EACH},
        expected="{base} + {denominator}",
    ),
    Shape(
        "floor_by_tier",
        "按另一数分档的下限",
        "按另一数（如村数）分档的最低数",
        roles=(frozenset({"value", "tier_key"}), frozenset({"numerator", "tier_key"})),
        tiers="by_key",
        reads=_HELD,
        tier_reads=_BOUNDS,
        measure_reads={"value": _ADDED, "numerator": _EACH, "tier_key": _ADDED},
    ),
    Shape(
        "relative_to_peers",
        "不低于同县均值的若干倍",
        "不低于同县均值的若干倍",
        reads=_HELD,
        measure_reads={"value": _ADDED},
        expected="{numerator} ÷ {denominator} × {least}",
        remark=_ROUNDED,
    ),
    Shape(
        "coverage_of_units",
        "达标单位的覆盖率",
        "下级对象达标的占比；分母为名册上的全部下级对象，名册不全的不判",
        roles=(frozenset({"unit"}),),
        also=frozenset({"value"}),
        reads=_HELD,
        measure_reads={"unit": _ADDED | {"threshold", "unit_level"}, "value": _ADDED},
        checked="{numerator} ÷ {denominator} × 100",
        remark=_ROUNDED,
    ),
    Shape(
        "composite",
        "由多项合成",
        "由几项合成：part 为事项（matter），或写明最低数（threshold）的指标",
        roles=(frozenset({"part"}),),
        reads=_HELD,
        measure_reads={"part": _ADDED | {"threshold"}},
    ),
    Shape(
        "benchmark",
        "与参照数核对",
        "与原文所列总数、均值核对，四舍五入到 decimals 位",
        roles=_RATIO,
        reads=_HELD | {"decimals"},
        measure_reads={"numerator": _EACH, "denominator": _EACH | {"threshold"}},
        checked="{numerator} ÷ {denominator} × {per}",
        remark=_ROUNDED,
    ),
)  # fmt: skip

SHAPES: dict[str, Shape] = {shape.name: shape for shape in _ALL}
MONEY = frozenset(name for name, shape in SHAPES.items() if shape.explained == "funding")
GENERAL = frozenset(name for name, shape in SHAPES.items() if shape.explained == "general")
ROLES = frozenset[str]().union(*(shape.every_role for shape in _ALL))
# Fields that only some shapes read.
SELECTIVE = frozenset[str]().union(*(shape.reads for shape in _ALL))
SELECTIVE_OF_TIERS = frozenset[str]().union(*(shape.tier_reads for shape in _ALL))
SELECTIVE_OF_MEASURES = NOTHING.union(*(fields for shape in _ALL for fields in shape.measure_reads.values()))
