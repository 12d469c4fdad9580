-- Whole 分, quotients rounded half up, and how far one number falls short of another (null where either is unknown).
create macro fen(amount) as cast(amount * 100 as bigint);
create macro yuan(fen) as cast(cast(fen as decimal(20, 0)) * 0.01::decimal(3, 2) as decimal(24, 2));
create macro half_up(part, whole) as case when whole > 0 then (2 * part + whole) // (2 * whole) end;
create macro pct(part, whole) as yuan(half_up(fen(part) * 10000, fen(whole)));
create macro missing(need, have) as case when need > have then need - have when need <= have then 0 end;
-- One unit of the last place that a cell writes.
create macro places(cell) as case
    when cell is null then null when cell like '%.__' then 0.01 when cell like '%._' then 0.1 else 1 end;
create macro written(cell) as nullif(trim(cell), '');
-- A cell that is there and is not a figure of its contract.
create macro is_bad(cell, value, top) as written(cell) is not null and coalesce(value not between 0 and top, true);
-- A figure in a sentence.
create macro in_words(value, unit) as case
    when unit like '%元%' then cast(value as decimal(18, 2)) || ' ' || unit else cast(value as bigint) || ' ' || unit end;
-- How many months lie between two answers of a rule.
create macro every(period) as case period when 'quarter' then 3 when 'half_year' then 6 when 'year' then 12 when 'two_years' then 12 else 1 end;
