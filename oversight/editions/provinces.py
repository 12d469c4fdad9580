"""A country that one process cannot hold: every province in a process of its own, joined to one build file.

    .work/provinces/36/               the province's inputs, cut out of the shared ones, and its build files
    .work/provinces/36/.work/done.json    what it was built from, and what became of each model and test

The rows of a unit, its rules and findings rest on its own province alone, so the same models over the province's inputs
say what they say of it over all. Provinces between which a unit passed are computed together. What adds up over provinces
(tag `nationwide` of a model), and what rests on no unit's reports, is computed once over the joined tables.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from oversight import durable
from oversight.editions.build import (
    SCRATCH,
    STORAGE_VERSION,
    BuildError,
    NodeResult,
    Part,
    begin_anew,
    build,
    build_file,
    built_from,
    machine_mb,
    manifest_path,
    memory_mb,
    parts_folder,
    scratch_file,
)
from oversight.editions.changes import Inputs, read_inputs
from oversight.editions.gathering import create, is_published, is_view
from oversight.editions.published import quoted
from oversight.faults import cause_zh
from oversight.progress import counted
from oversight.settings import DataFolder

if TYPE_CHECKING:
    import duckdb

TAG = "nationwide"
# Inputs whose rows belong to a unit → the expression that begins with its province.
CUT = {
    "divisions": "division_code",
    "population": "township_code",
    "budget": "township_code",
    "staffing": "township_code",
    "indicators": "subject_code",
    "payments": "township_code",
    "payment_coverage": "division_code",
    "deliveries": "township_code",
    # Rule, unit and month.
    "finding_notes": "split_part(finding_id, '/', 2)",
}
# Inputs that name no unit: the files that these rows came from, and no row of what was refused.
_FILES, _REFUSED = "submissions", "rejected_rows"
_OF_FILES = ("population", "budget", "staffing", "indicators", "payments", "payment_coverage")
# The rank of a file among all files, which changes nothing that a row says.
_RANKS = ("precedence", "arrival_seq")
_DONE, _ANSWER, _LOG = "done.json", "answer.json", "process.log"


@dataclass(frozen=True)
class Share:
    """Provinces that are computed together: the first two digits of their codes, and what they are called."""

    codes: tuple[str, ...]
    name: str

    @property
    def place(self) -> str:
        """The name of their folder."""
        return "-".join(self.codes) or "all"


@dataclass(frozen=True)
class Plan:
    """What is computed for each province, what is joined (models of the manifest), and what is computed over that."""

    of_provinces: tuple[str, ...]
    joined: tuple[dict[str, Any], ...]
    nationwide: tuple[str, ...]


def plan(manifest: dict[str, Any]) -> Plan:
    """Who computes which model, as dbt's manifest has them: a model that says nothing of it is a province's."""
    nodes = {
        name: node for name, node in manifest["nodes"].items() if node["resource_type"] in ("model", "seed")
    }
    # Of what a model rests on a province sees its own part.
    cut = {name for name, source in manifest["sources"].items() if source["name"] in CUT}
    for name in _in_order(nodes):
        if not cut.isdisjoint(_before(nodes[name])):
            cut.add(name)
    nationwide = {
        name
        for name, node in nodes.items()
        if name not in cut or TAG in node["tags"] or (is_published(node) and is_view(node))
    }
    wanted = _with_all_before(nodes, nodes.keys() - nationwide)
    read = {each for name in nationwide for each in _before(nodes[name])}
    joined = [
        node
        for name, node in nodes.items()
        if name not in nationwide and (is_published(node) or name in read)
    ]
    return Plan(
        tuple(sorted(nodes[name]["name"] for name in wanted)),
        tuple(joined),
        tuple(sorted(nodes[name]["name"] for name in nationwide)),
    )


def _before(node: dict[str, Any]) -> list[str]:
    """What a node rests on; a seed on nothing."""
    found: list[str] = node["depends_on"].get("nodes", [])
    return found


def _in_order(nodes: dict[str, dict[str, Any]]) -> list[str]:
    """Every node after all that it rests on."""
    found: dict[str, None] = {}

    def visit(name: str) -> None:
        if name in nodes and name not in found:
            for before in _before(nodes[name]):
                visit(before)
            found[name] = None

    for name in nodes:
        visit(name)
    return list(found)


def _with_all_before(nodes: dict[str, dict[str, Any]], names: Iterable[str]) -> set[str]:
    found: set[str] = set()
    left = list(names)
    while left:
        name = left.pop()
        if name in nodes and name not in found:
            found.add(name)
            left += _before(nodes[name])
    return found


def build_all(folder: DataFolder, *, at_once: int, say: Callable[[str], None]) -> list[NodeResult]:
    """Build every province, `at_once` of them at a time, and the country from them; the build file is the folder's.

    Raises `BuildError`, naming the province, where one did not come to its end; those that did are not computed again.
    """
    built_from(folder).unlink(missing_ok=True)
    manifest = json.loads(manifest_path().read_text("utf-8"))
    planned = plan(manifest)
    inputs = read_inputs(folder.inputs)
    shares = shares_of(folder.inputs)
    parts_folder(folder).mkdir(parents=True, exist_ok=True)
    for old in parts_folder(folder).iterdir():
        if old.name not in {share.place for share in shares}:
            shutil.rmtree(old)
    part = Part(
        planned.of_provinces,
        _reported(folder.inputs),
        (inputs.first_month, inputs.last_month),
        max(memory_mb(machine_mb()) // at_once, 1),
    )
    say(f"  按省分开计算，共 {len(shares)} 份，同时算 {min(at_once, len(shares))} 份")
    results = _run_all(folder, shares, part, at_once=at_once, say=say)
    say("  各省已算完，合成全国")
    places = [_place(folder, share) for share in shares]
    gather(folder, planned.joined, places)
    results += build(folder, select=planned.nationwide)
    _check_months(folder, places)
    return _together(results)


def shares_of(inputs: Path) -> list[Share]:
    """Provinces of the register, in the order of their codes; those between which a unit passed, whenever, are one share."""
    import duckdb

    with duckdb.connect() as connection:
        rows = _rows(inputs, "divisions")
        pairs = connection.execute(
            f"select distinct substr(division_code, 1, 2), substr(coalesce(successor_code, division_code), 1, 2) from {rows} "
            "where division_code is not null"
        ).fetchall()
        names = dict(
            connection.execute(
                f"select substr(division_code, 1, 2), max_by(division_name, precedence) from {rows} "
                "where division_code like '__0000' and row_status = 'accepted' group by 1"
            ).fetchall()
        )
    group: dict[str, str] = {}

    def first(code: str) -> str:
        while group.setdefault(code, code) != code:
            code = group[code]
        return code

    for one, other in pairs:
        low, high = sorted((first(one), first(other)))
        group[high] = low
    together: dict[str, list[str]] = {}
    for code in sorted(group):
        together.setdefault(first(code), []).append(code)
    found = [
        Share(tuple(codes), "、".join(names.get(code) or f"{code}0000" for code in codes))
        for codes in together.values()
    ]
    # Without a register there is still what was reported.
    return found or [Share((), "全部")]


def _reported(inputs: Path) -> tuple[str, str] | None:
    """The first and last month that anybody reports, as model int_months finds them over all; None where nobody does."""
    import duckdb

    each = [
        f"select min(month) as first_month, max(month) as last_month from {_rows(inputs, name)} "
        f"where row_status = 'accepted'{' and fund_code = $$working_funds$$' if name == 'budget' else ''}"
        for name in ("population", "budget", "staffing", "indicators")
    ]
    with duckdb.connect() as connection:
        found = connection.execute(
            f"select min(first_month), max(last_month) from ({' union all '.join(each)})"
        ).fetchone()
    assert found is not None
    return (str(found[0]), str(found[1])) if found[0] else None


# --- the processes ------------------------------------------------------------------------------------------------


def _run_all(
    folder: DataFolder, shares: Sequence[Share], part: Part, *, at_once: int, say: Callable[[str], None]
) -> list[NodeResult]:
    results: list[NodeResult] = []
    waiting, failed = list(shares), ""
    running: dict[Share, subprocess.Popen[bytes]] = {}
    known = [code for share in shares for code in share.codes]
    try:
        while running or (waiting and not failed):
            while waiting and len(running) < at_once and not failed:
                share = waiting.pop(0)
                # Rows of no province that the register knows are nobody's; they go with the first.
                others = known if share is shares[0] else None
                running[share] = _start(folder, share, part, others)
            for share, process in list(running.items()):
                if process.poll() is None:
                    continue
                del running[share]
                try:
                    answer = _answer(folder, share, process)
                except BuildError as error:
                    failed = failed or str(error)
                    say(f"  {share.name}：没有算完")
                    continue
                results += [NodeResult(**each) for each in answer["results"]]
                done = len(shares) - len(waiting) - len(running)
                counted(done, len(shares))
                how = "与上次相同，沿用上次的结果" if answer["is_kept"] else "已算完"
                say(f"  {share.name}：{how}（{done}/{len(shares)}）")
            time.sleep(0.05)
    finally:
        for process in running.values():
            process.kill()
            process.wait()
    if failed:
        raise BuildError(failed)
    return results


def _start(
    folder: DataFolder, share: Share, part: Part, others: Sequence[str] | None
) -> subprocess.Popen[bytes]:
    place = _place(folder, share)
    place.work.mkdir(parents=True, exist_ok=True)
    (place.work / _ANSWER).unlink(missing_ok=True)
    job = {"inputs": str(folder.inputs), "place": str(place.root), "codes": share.codes, "others": others}
    with (place.work / _LOG).open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", __name__], stdin=subprocess.PIPE, stdout=log, stderr=subprocess.STDOUT
        )
    assert process.stdin is not None
    try:
        # Left open: its end tells that nobody waits for the result any more.
        process.stdin.write(json.dumps(job | {"part": asdict(part)}).encode() + b"\n")
        process.stdin.flush()
    except BrokenPipeError:
        # It ended before it could be told anything; whoever waits for it says so.
        pass
    return process


def _answer(folder: DataFolder, share: Share, process: subprocess.Popen[bytes]) -> dict[str, Any]:
    """What a process left; raises `BuildError`, naming the province, where it did not come to its end."""
    place = _place(folder, share)
    assert process.stdin is not None
    process.stdin.close()
    try:
        answer: dict[str, Any] = json.loads((place.work / _ANSWER).read_text("utf-8"))
    except (OSError, ValueError):
        answer = {
            "error": f"进程意外结束（{process.returncode}），可能是内存不足，可减少同时计算的个数（--at-once）"
        }
    if "error" in answer:
        raise BuildError(
            f"{share.name}没有算完：{answer['error'].rstrip('。')}。未发布新版本，已发布的版本不受影响；已算完的省下次沿用。"
            f"请重新运行；若仍失败，把 {place.work / _LOG} 交给维护人员。"
        )
    return answer


def _place(folder: DataFolder, share: Share) -> DataFolder:
    return DataFolder(parts_folder(folder) / share.place)


def main() -> None:
    """A process of one share: what it is told comes as a line, what became of it goes into a file of its folder."""
    job = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_whoever_waits, daemon=True).start()
    place = DataFolder(Path(job["place"]))
    try:
        answer = _build_one(place, Path(job["inputs"]), job["codes"], job["others"], _part(job["part"]))
    except Exception as error:
        answer = {"error": cause_zh(error) or str(error)}
        durable.write_text(place.work / _ANSWER, json.dumps(answer, ensure_ascii=False), lasting=False)
        raise
    durable.write_text(place.work / _ANSWER, json.dumps(answer, ensure_ascii=False), lasting=False)


def _part(told: dict[str, Any]) -> Part:
    first, last = told["months"]
    reported = told["reported"]
    return Part(
        tuple(told["nodes"]),
        (reported[0], reported[1]) if reported else None,
        (first, last),
        told["memory_mb"],
    )


def _end_with_whoever_waits() -> None:
    while os.read(sys.stdin.fileno(), 1):
        continue
    os._exit(1)


def _build_one(
    place: DataFolder, shared: Path, codes: Collection[str], others: Collection[str] | None, part: Part
) -> dict[str, Any]:
    cut(shared, place.inputs, codes, others, megabytes=part.memory_mb)
    done = place.work / _DONE
    told = _told(part.seen(read_inputs(place.inputs)), place.inputs, part)
    try:
        kept = json.loads(done.read_text("utf-8"))
        if kept["told"] == told and build_file(place).is_file() and scratch_file(place).is_file():
            return {"is_kept": True, "results": kept["results"]}
    except (OSError, ValueError, KeyError, TypeError):
        # Nothing was kept, or in another form.
        pass
    done.unlink(missing_ok=True)
    results = [asdict(result) for result in build(place, part=part)]
    durable.write_text(
        done, json.dumps({"told": told, "results": results}, ensure_ascii=False), lasting=False
    )
    return {"is_kept": False, "results": results}


def cut(
    shared: Path, own: Path, codes: Collection[str], others: Collection[str] | None, *, megabytes: int
) -> None:
    """The build inputs of some provinces, out of all; with `others`, rows that belong to none of those, too."""
    import duckdb

    shutil.rmtree(own, ignore_errors=True)
    own.mkdir(parents=True)

    def listed(all_of: Iterable[str]) -> str:
        return "[" + ", ".join(f"'{code}'" for code in all_of) + "]::varchar[]"

    with duckdb.connect() as connection:
        connection.execute(f"set memory_limit = '{megabytes}MB'")
        connection.execute(f"set temp_directory = {_text(own / 'tmp')}")
        for name, code in CUT.items():
            where = f"list_contains({listed(codes)}, substr({code}, 1, 2))"
            if others is not None:
                where += f" or coalesce(not list_contains({listed(others)}, substr({code}, 1, 2)), true)"
            _copy(connection, f"from {_rows(shared, name)} where {where}", own, name)
        used = " union ".join(f"select submission_id from {_rows(own, name)}" for name in _OF_FILES)
        _copy(connection, f"from {_rows(shared, _FILES)} where submission_id in ({used})", own, _FILES)
    for path in shared.glob("*.parquet"):
        if path.stem not in (*CUT, _FILES, _REFUSED):
            shutil.copyfile(path, own / path.name)


def _copy(connection: duckdb.DuckDBPyConnection, rows: str, own: Path, name: str) -> None:
    connection.execute(f"copy ({rows}) to {_text(own / name)[:-1]}.parquet' (format parquet)")


def _told(inputs: Inputs, folder: Path, part: Part) -> str:
    """A digest of all that the figures of some provinces rest on; the same for the same, whatever came elsewhere."""
    import duckdb

    says: dict[str, Any] = {"inputs": asdict(inputs), "nodes": part.nodes, "reported": part.reported}
    with duckdb.connect() as connection:
        for path in sorted(folder.glob("*.parquet")):
            if path.stem == "edition":
                continue
            rows = _rows(folder, path.stem)
            columns = [str(row[0]) for row in connection.execute(f"describe from {rows}").fetchall()]
            hashed = ", ".join(quoted(column) for column in columns if column not in _RANKS)
            says[path.stem] = connection.execute(
                f"select count(*), cast(coalesce(sum(cast(hash({hashed}) as hugeint)), 0) as varchar) from {rows}"
            ).fetchone()
        # The day of the build bears on what is due by then, and on nothing else.
        says["due"] = connection.execute(
            "select cast(coalesce(sum(cast(hash(dataset, month) as hugeint)), 0) as varchar) "
            f"from {_rows(folder, 'due_dates')} "
            f"where due_on >= (select cast(built_at as date) from {_rows(folder, 'edition')})"
        ).fetchone()
    return hashlib.sha256(json.dumps(says, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


# --- the country --------------------------------------------------------------------------------------------------


def gather(folder: DataFolder, nodes: Iterable[dict[str, Any]], places: Sequence[DataFolder]) -> None:
    """The provinces' tables in a new build file of the folder; `nodes` are dbt's models."""
    import duckdb

    target = build_file(folder)
    begin_anew(target)
    with duckdb.connect(str(target)) as connection:
        connection.execute(f"set memory_limit = '{memory_mb(machine_mb())}MB'")
        connection.execute(
            f"attach {_text(scratch_file(folder))} as {SCRATCH} (storage_version '{STORAGE_VERSION}')"
        )
        for number, place in enumerate(places):
            _attach(connection, place, number)
        for node in nodes:
            connection.execute("begin")
            _join(connection, node, len(places))
            connection.execute("commit")


def _attach(connection: duckdb.DuckDBPyConnection, place: DataFolder, number: int) -> None:
    for kind, path in (("build", build_file(place)), (SCRATCH, scratch_file(place))):
        connection.execute(f"attach {_text(path)} as {kind}_{number} (read_only)")


def _join(connection: duckdb.DuckDBPyConnection, node: dict[str, Any], count: int) -> None:
    """One table: the rows of all provinces, year by year where it has months, and within a year as each province has them.

    So long tables lie as one process would leave them, and nothing is sorted."""
    database, schema, table = node["database"], quoted(node["schema"]), quoted(node["alias"])
    kind = SCRATCH if database == SCRATCH else "build"
    parts = [f"{kind}_{number}.{schema}.{table}" for number in range(count)]
    home = f"{quoted(database)}.{schema}"
    connection.execute(f"create schema if not exists {home}")
    wanted = create(connection, node, f"{home}.{table}", f"from {parts[0]}")
    conditions = ["true"]
    kinds = {name: kind for name, kind, *_ in connection.execute(f"describe {parts[0]}").fetchall()}
    if kinds.get("month") == "DATE":
        every = " union all ".join(f"select month from {part}" for part in parts)
        years = connection.execute(
            f"select distinct year(month) from ({every}) order by 1 nulls last"
        ).fetchall()
        conditions = ["month is null" if year is None else f"year(month) = {year}" for (year,) in years]
    for condition in conditions:
        rows = " union all ".join(f"(select {wanted} from {part} where {condition})" for part in parts)
        connection.execute(f"insert into {home}.{table} ({wanted}) {rows}")


def _check_months(folder: DataFolder, places: Sequence[DataFolder]) -> None:
    """Raise where a province was computed for other months than the country has."""
    import duckdb

    with duckdb.connect() as connection:
        told = []
        for number, place in enumerate((folder, *places)):
            connection.execute(f"attach {_text(scratch_file(place))} as months_{number} (read_only)")
            told.append(
                connection.execute(
                    f"select min(month), max(month), count(*) from months_{number}.intermediate.int_months"
                ).fetchone()
            )
    if set(told) != {told[0]}:
        raise BuildError(
            "各省计算的月份与全国的月份不一致，未发布新版本，已发布的版本不受影响。"
            "这是程序的问题，请把这句话交给维护人员。"
        )


def _together(results: Iterable[NodeResult]) -> list[NodeResult]:
    """Of each model and test one result: what it took in all, and what was found in all."""
    found: dict[str, NodeResult] = {}
    for each in results:
        before = found.get(each.unique_id)
        if before is None:
            found[each.unique_id] = each
            continue
        worse = before if not before.ok else each
        failures = None if each.failures is None else each.failures + (before.failures or 0)
        found[each.unique_id] = NodeResult(
            each.unique_id, worse.status, before.seconds + each.seconds, worse.message, failures
        )
    return list(found.values())


def _rows(folder: Path, name: str) -> str:
    return f"read_parquet({_text(folder / name)[:-1]}.parquet')"


def _text(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


if __name__ == "__main__":
    main()
