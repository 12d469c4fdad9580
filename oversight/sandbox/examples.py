"""The questions an analyst of this field asks first, as queries to start from. Each is run by the tests.

`$month` is the month chosen, `$unit` the digits of the unit chosen ('' for all).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Example:
    """A question and the query that answers it."""

    title: str
    group: str
    sql: str


def _example(group: str, title: str, sql: str) -> Example:
    return Example(title, group, sql.strip() + "\n")


EXAMPLES = (
    _example(
        "经费",
        "各县经费缺口合计",
        """
select 县级名称, count(*) as 乡镇数, sum(应保障_万元) as 应保障_万元, sum(年度安排_万元) as 年度安排_万元,
    sum(缺口_万元) as 缺口_万元, count(*) filter (where 状态 = '不达标') as 不达标数
from 经费缺口_月
where 统计月份 = $month and starts_with(区划代码, $unit)
group by 县级名称
order by 缺口_万元 desc nulls last
""",
    ),
    _example(
        "经费",
        "缺口最大的 20 个乡镇",
        """
select 县级名称, 乡镇名称, 人口档次, 定档人口_人, 应保障_万元, 年度安排_万元, 缺口_万元, 保障率_百分比
from 经费缺口_月
where 统计月份 = $month and 缺口_元 > 0 and starts_with(区划代码, $unit)
order by 缺口_元 desc, 区划代码
limit 20
""",
    ),
    _example(
        "经费",
        "保障率不到 80% 的乡镇",
        """
select 县级名称, 乡镇名称, 保障率_百分比, 应保障_万元, 年度安排_万元, 缺口_万元
from 经费缺口_月
where 统计月份 = $month and 保障率_百分比 < 80 and starts_with(区划代码, $unit)
order by 保障率_百分比
""",
    ),
    _example(
        "经费",
        "拨付进度：到本月应拨、已拨和落后多少",
        """
select 县级名称, 乡镇名称, 应保障_万元, 累计拨付_万元, 拨付缺口_万元,
    round(累计拨付_元 * 100 / nullif(应保障_元, 0), 1) as 占全年应保障_百分比
from 经费缺口_月
where 统计月份 = $month and 拨付缺口_元 > 0 and starts_with(区划代码, $unit)
order by 拨付缺口_元 desc
""",
    ),
    _example(
        "经费",
        "钱到了没花：已拨付而未支出",
        """
select 县级名称, 乡镇名称, 累计拨付_万元, 累计支出_万元, 累计拨付_万元 - 累计支出_万元 as 未支出_万元
from 经费缺口_月
where 统计月份 = $month and 累计拨付_元 > 累计支出_元 and starts_with(区划代码, $unit)
order by 未支出_万元 desc
""",
    ),
    _example(
        "经费",
        "各月缺口走势",
        """
select 统计月份, sum(应保障_万元) as 应保障_万元, sum(缺口_万元) as 缺口_万元,
    count(*) filter (where 状态 = '不达标') as 不达标乡镇数
from 经费缺口_月
where starts_with(区划代码, $unit)
group by 统计月份
order by 统计月份
""",
    ),
    _example(
        "经费",
        "比上月缺口变大的乡镇",
        """
with 两月 as (
    select 区划代码, 县级名称, 乡镇名称, 统计月份, 缺口_元,
        lag(缺口_元) over (partition by 区划代码 order by 统计月份) as 上月缺口_元
    from 经费缺口_月
    where starts_with(区划代码, $unit)
)
select 县级名称, 乡镇名称, 上月缺口_元, 缺口_元, 缺口_元 - 上月缺口_元 as 增加_元
from 两月
where 统计月份 = $month and 缺口_元 > 上月缺口_元
order by 增加_元 desc
""",
    ),
    _example(
        "经费",
        "连续不达标最久的乡镇",
        """
with 标记 as (
    select 区划代码, 县级名称, 乡镇名称, 统计月份, 状态,
        sum(case when 状态 <> '不达标' then 1 else 0 end)
            over (partition by 区划代码 order by 统计月份 desc) as 段
    from 经费缺口_月
    where 统计月份 <= $month and starts_with(区划代码, $unit)
)
select 县级名称, 乡镇名称, count(*) as 连续月数, min(统计月份) as 起始月份
from 标记
where 段 = 0
group by 区划代码, 县级名称, 乡镇名称
order by 连续月数 desc, 区划代码
limit 50
""",
    ),
    _example(
        "分档",
        "恰在分档线上的乡镇",
        """
select 县级名称, 乡镇名称, 定档人口_人, 人口档次, 应保障_元, 另一档次, 另一档应保障_元,
    另一档应保障_元 - 应保障_元 as 相差_元
from 经费缺口_月
where 统计月份 = $month and 恰在分档线上 = '是' and starts_with(区划代码, $unit)
order by abs(另一档应保障_元 - 应保障_元) desc
""",
    ),
    _example(
        "分档",
        "离分档线不到 2% 的乡镇",
        """
select distinct f.县级名称, f.乡镇名称, f.定档人口_人, f.人口档次, d.上限_人 as 分档线_人,
    f.定档人口_人 - d.上限_人 as 距分档线_人
from 经费缺口_月 as f
inner join 标准分档 as d on f.适用标准 = d.标准编号
where f.统计月份 = $month and abs(f.定档人口_人 - d.上限_人) <= d.上限_人 * 0.02 and starts_with(f.区划代码, $unit)
order by abs(f.定档人口_人 - d.上限_人)
""",
    ),
    _example(
        "人员",
        "缺员最多的乡镇",
        """
select 县级名称, 乡镇名称, 适用标准, 计入人数, 最低人数, 缺员_人, 计入人数不全
from 人员缺口_月
where 统计月份 = $month and 缺员_人 > 0 and starts_with(区划代码, $unit)
order by 缺员_人 desc, 区划代码
""",
    ),
    _example(
        "人员",
        "各项人员标准的达标率",
        """
select s.标准编号, s.标准名称, count(*) as 应答数, count(*) filter (where m.状态 = '达标') as 达标数,
    round(count(*) filter (where m.状态 = '达标') * 100 / nullif(count(*), 0), 1) as 达标率_百分比
from 人员缺口_月 as m
inner join 标准 as s on m.适用标准 = s.标准编号
where m.统计月份 = $month and starts_with(m.区划代码, $unit)
group by s.标准编号, s.标准名称
order by 达标率_百分比
""",
    ),
    _example(
        "人员",
        "人手超出建议上限的乡镇",
        """
select 县级名称, 乡镇名称, 定档人口_人, 计入人数, 建议上限_人, 超配_人
from 人员缺口_月
where 统计月份 = $month and 超配_人 > 0 and starts_with(区划代码, $unit)
order by 超配_人 desc
""",
    ),
    _example(
        "问题",
        "未了的严重问题",
        """
select 规则编号, 县级名称, 乡镇名称, 对象代码, 出现月份, 持续月数, 差额, 单位, 文件名称, 条款, 说明
from 问题台账
where 整改月份 is null and 严重程度 = '严重' and starts_with(对象代码, $unit)
order by 持续月数 desc, 对象代码
""",
    ),
    _example(
        "问题",
        "本月新出现的问题",
        """
select 规则编号, 县级名称, 乡镇名称, 状态, 严重程度, 说明
from 问题台账
where 出现月份 = $month and starts_with(对象代码, $unit)
order by 严重程度, 规则编号, 对象代码
""",
    ),
    _example(
        "问题",
        "本月已整改的问题",
        """
select 规则编号, 县级名称, 乡镇名称, 出现月份, 持续月数, 说明
from 问题台账
where 整改月份 = $month and starts_with(对象代码, $unit)
order by 持续月数 desc
""",
    ),
    _example(
        "问题",
        "每条规则有多少对象不达标",
        """
select j.规则编号, s.标准名称, count(*) as 应答数,
    count(*) filter (where j.状态 = '不达标') as 不达标数,
    count(*) filter (where j.状态 = '未报送') as 未报送数
from 逐项判定 as j
inner join 标准 as s on j.规则编号 = s.标准编号
where j.时期 = $month and starts_with(j.对象代码, $unit)
group by j.规则编号, s.标准名称
order by 不达标数 desc, j.规则编号
""",
    ),
    _example(
        "报送",
        "本月没有报送、无法判定的乡镇",
        """
select 县级名称, 乡镇名称, 区划代码, 定档人口_人, 年度安排_元, 状态
from 经费缺口_月
where 统计月份 = $month and 状态 = '未报送' and starts_with(区划代码, $unit)
order by 区划代码
""",
    ),
    _example(
        "报送",
        "退回和待确认的行，按原因",
        """
select 错误代码, 处置, count(*) as 行数, any_value(说明) as 说明示例, any_value(处理办法) as 处理办法
from 未采用的行
group by 错误代码, 处置
order by 行数 desc
""",
    ),
    _example(
        "报送",
        "哪些文件没有全部采用",
        """
select 文件名, 状态, 读取行数, 采用行数, 待确认行数, 退回行数, 说明, 处理办法
from 报送文件
where 状态 in ('部分采用', '整份退回')
order by 退回行数 desc, 文件名
""",
    ),
    _example(
        "报送",
        "一个数字有过几个说法：同月重复报送的人口",
        """
select 当月区划代码, 乡镇名称, 统计月份, count(*) as 版数, min(户籍人口_人) as 最小, max(户籍人口_人) as 最大
from 报送_户籍人口
where starts_with(当月区划代码, $unit)
group by 当月区划代码, 乡镇名称, 统计月份
having count(distinct 户籍人口_人) > 1
order by 最大 - 最小 desc
""",
    ),
    _example(
        "五有",
        "五有评分：哪一“有”最缺",
        """
select 五有之一, count(*) filter (where 状态 = '达标') as 达标, count(*) filter (where 状态 = '不达标') as 不达标,
    count(*) filter (where 状态 = '未报送') as 未报送
from 明细_五有评分
where 统计月份 = $month and starts_with(区划代码, $unit)
group by 五有之一, 序号
order by 序号
""",
    ),
)
