"""What each route takes, as a schema: whatever does not fit is refused in a sentence before any code sees it.

A route names its schema with `takes`; the gate reads it before the route runs and the route asks `given` for what
was read. Dash's own endpoint is held against the callback it names: its outputs, inputs and states, and the types
that the callback's function declares.
"""

from __future__ import annotations

import json
import re
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal, TypeVar

import flask
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    TypeAdapter,
    ValidationError,
)

PATH_CHARACTERS = 1000
QUERY_CHARACTERS = 4000
SQL_CHARACTERS = 200_000
# Beyond any amount, count or percentage of the field, and safe to multiply.
LARGEST = 10**15

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_LINE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


class BadInput(Exception):
    """What was sent cannot be used; the message says what and why."""

    def __init__(self, message_zh: str, code: int = 400) -> None:
        super().__init__(message_zh)
        self.message_zh, self.code = message_zh, code


def _one_line(text: str) -> str:
    if _LINE.search(text):
        raise ValueError("含有不能显示的字符")
    return text


def _text(text: str) -> str:
    if _CONTROL.search(text):
        raise ValueError("含有不能显示的字符")
    return text


def _day(text: str) -> str:
    try:
        return text and date.fromisoformat(text).isoformat()
    except ValueError:
        raise ValueError("不是日期") from None


def _from_json(text: Any) -> Any:
    """A form's field that is JSON; an empty one is none."""
    if text is None or text == "":
        return None
    if not isinstance(text, str):
        return text
    try:
        return json.loads(text, parse_int=_number, parse_float=_number, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise ValueError("不是能读的 JSON") from error


def _number(text: str) -> int | float:
    """A number that is not larger than anything is."""
    value = float(text) if len(text) > 20 or not text.lstrip("-").isdigit() else int(text)
    if not -LARGEST < value < LARGEST:
        raise ValueError("数字太大")
    return value


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} 不是数字")


Line = Annotated[str, AfterValidator(_one_line)]
Text = Annotated[str, AfterValidator(_text)]
Name = Annotated[Line, StringConstraints(max_length=200)]
# A name of a folder of an edition, as `oversight.editions` makes them; what is no such name is no edition.
EditionId = Annotated[Line, StringConstraints(max_length=200)]
Search = Annotated[Line, StringConstraints(max_length=QUERY_CHARACTERS)]
Id = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8,64}$")]


class Input(BaseModel):
    """A schema. What it does not name is left aside."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)


class Nothing(Input):
    """A route that takes nothing."""


class Filter(Input):
    """A column's filter as the grid says it; two conditions may be joined."""

    type: Name | None = None
    filter: Annotated[Line, StringConstraints(max_length=200)] | int | float | None = None
    filterTo: Annotated[Line, StringConstraints(max_length=200)] | int | float | None = None
    operator: Literal["AND", "OR"] | None = None
    conditions: Annotated[list[Filter], Field(max_length=10)] | None = None


class Sort(Input):
    """A column that rows are sorted by."""

    colId: Name
    sort: Literal["asc", "desc"] | None = None


def _json_of(kind: Any) -> Any:
    return Annotated[kind | None, BeforeValidator(_from_json)]


class TableForm(Input):
    """A table of a page, with what its own filters and sorting choose."""

    table: Name = ""
    path: Name = ""
    search: Search = ""
    edition: EditionId = ""
    filter: _json_of(Annotated[dict[Name, Filter], Field(max_length=100)]) = None  # type: ignore[valid-type]
    sort: _json_of(Annotated[list[Sort], Field(max_length=20)]) = None  # type: ignore[valid-type]

    def filters(self) -> dict[str, Any] | None:
        """As the grid said it."""
        if self.filter is None:
            return None
        return {name: model.model_dump(exclude_none=True) for name, model in self.filter.items()}

    def sorting(self) -> list[dict[str, Any]] | None:
        """As the grid said it."""
        return None if self.sort is None else [item.model_dump(exclude_none=True) for item in self.sort]


class DownloadForm(TableForm):
    """A table to be taken away: which columns and rows, and as what."""

    columns: _json_of(Annotated[list[Name], Field(max_length=500)]) = None  # type: ignore[valid-type]
    rows: _json_of(Annotated[list[Name], Field(max_length=100_000)]) = None  # type: ignore[valid-type]
    format: Literal["xlsx", "csv"] = "xlsx"


class OfEdition(Input):
    """An edition, in the address."""

    edition: EditionId = ""


class Named(Input):
    """Something by the id it was given."""

    name: Id


class ReturnedFile(Input):
    """A path below the folder of returned workbooks."""

    name: Annotated[Line, StringConstraints(min_length=1, max_length=PATH_CHARACTERS)]


class ReportFile(Input):
    """A report and a form of it."""

    key: Annotated[str, StringConstraints(pattern=r"^\d{4}-\d{2}/[0-9A-Za-z_-]{1,40}/\d{1,6}$")]
    form: Annotated[str, StringConstraints(pattern=r"^[a-z]{2,10}$")]


class SourceFile(Input):
    """A file that was received, by its id."""

    name: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z_-]{4,80}$")]


class SourceQuery(Input):
    """A place in a file, and of which edition's files it is one."""

    sheet: Annotated[Line, StringConstraints(max_length=200)] = ""
    row: Annotated[int, Field(ge=1, le=10_000_000)] = 1
    edition: EditionId = ""


class DocumentFile(Input):
    """A policy document, by its number in the standards."""

    name: Annotated[Line, StringConstraints(min_length=1, max_length=80)]


class DocumentQuery(Input):
    """A place in a policy document: of a rule, or a paragraph with words; and of which edition's standards."""

    rule: Annotated[Line, StringConstraints(max_length=80)] = ""
    at: Annotated[int, Field(ge=0, le=10_000_000)] = 0
    q: Annotated[Line, StringConstraints(max_length=60)] = ""
    edition: EditionId = ""


class BriefQuery(Input):
    """Of what a one-page brief is wanted."""

    unit: Annotated[str, StringConstraints(pattern=r"^\d{6}$")]
    month: Annotated[str, StringConstraints(pattern=r"^(19|20)\d{2}-(0[1-9]|1[0-2])$")]
    edition: EditionId = ""
    money: Literal["wan", "yuan"] = "wan"


class ReportQuery(Input):
    """Whether a report is to be read or kept."""

    read: Annotated[Line, StringConstraints(max_length=10)] = ""


class Question(Input):
    """A query and its two parameters."""

    edition: EditionId
    sql: Annotated[Text, StringConstraints(max_length=SQL_CHARACTERS)]
    month: Annotated[Line, StringConstraints(max_length=20)] | None = None
    unit: Name | None = None


class FileQuestion(Question):
    """A query whose result is to be a file."""

    format: Literal["csv", "xlsx", "parquet"]


class SavedQuery(Input):
    """A query under a title."""

    title: Annotated[Text, StringConstraints(strip_whitespace=True, min_length=1)]
    sql: Annotated[Text, StringConstraints(max_length=SQL_CHARACTERS, pattern=r"\S")]


Division = Annotated[str, StringConstraints(pattern=r"^(\d{6}|\d{9})$")]
MonthCode = Annotated[str, StringConstraints(pattern=r"^(19|20)\d{2}-(0[1-9]|1[0-2])$")]
Report = Literal["population", "budget", "staffing"]


class ReportsDue(Input):
    """A unit and a month that reports are due of."""

    unit: Division
    month: MonthCode


class TemplateWanted(ReportsDue):
    """A fill-in workbook."""

    dataset: Report | Literal["indicators"]


class NilReport(ReportsDue):
    """That a unit has nothing to report."""

    dataset: Report


class UploadedFile(Input):
    """A file that is about to be sent."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=500)]
    size: Annotated[int, Field(ge=0, lt=LARGEST, strict=True)]


class NewUpload(Input):
    """Files that are about to be sent, and to whose folder they go."""

    unit: Division
    files: Annotated[list[UploadedFile], Field(min_length=1, max_length=100)]


class OfUpload(Named):
    """A file of an upload."""

    number: Annotated[int, Field(ge=0, lt=100)]


class PartOfUpload(OfUpload):
    """Bytes of a file from an offset on."""

    at: Annotated[int, Field(ge=0, lt=LARGEST)]


class ChangedCell(Input):
    """A cell of a file, counted from one, with the text it had and the one it is to have."""

    sheet: Annotated[Line, StringConstraints(max_length=200)]
    row: Annotated[int, Field(ge=1, le=1_048_576, strict=True)]
    column: Annotated[int, Field(ge=1, le=16_384, strict=True)]
    before: Annotated[Text, StringConstraints(max_length=32_767)]
    value: Annotated[Text, StringConstraints(max_length=2000)]


class ChangedCells(Input):
    """Cells to be changed in a file, and the file as it was shown."""

    sha256: Id
    cells: Annotated[list[ChangedCell], Field(min_length=1, max_length=200)]


class ChosenColumn(Input):
    """A question about a heading by its place in the list, and the column it means."""

    number: Annotated[int, Field(ge=0, lt=1000, strict=True)]
    column: Name


class ChosenColumns(Input):
    """Answers about the headings of a file, and the file as it was shown."""

    sha256: Id
    answers: Annotated[list[ChosenColumn], Field(min_length=1, max_length=200)]


class ReceiptQuery(Input):
    """As what a receipt is wanted."""

    form: Literal["json", "pdf", ""] = ""


Reason = Annotated[Text, StringConstraints(max_length=2000)]


class Decision(Input):
    """What a reviewer decides on rows of a file, or on all that are left."""

    verdict: Literal["accept", "return"]
    reason: Reason = ""
    rows: Annotated[list[Annotated[int, Field(ge=0, lt=LARGEST)]], Field(max_length=100_000)] | None = None


class OfPaper(Input):
    """A report, by its month and the division it is about."""

    month: MonthCode
    scope: Annotated[str, StringConstraints(pattern=r"^\d{6}$")]


class PaperStep(OfPaper):
    """A step in the life of a report: which one, and of what that was read."""

    step: Literal["draft", "submit", "review", "return", "issue", "deliver", "withdraw"]
    read: Annotated[Line, StringConstraints(max_length=200)] = ""
    note: Reason = ""
    version: Annotated[int, Field(ge=0, lt=100_000)] = 0
    number: Annotated[int, Field(ge=1, lt=1_000_000)] | None = None
    # The day of the signature; '' is today.
    signed_on: Annotated[str, AfterValidator(_day)] = ""
    provisional: bool = False


class PaperText(Input):
    """One of the bureau's own texts of the report."""

    name: Annotated[str, StringConstraints(pattern=r"^(report\.toml|[a-z_]{1,40})$")]
    text: Annotated[Text, StringConstraints(max_length=100_000)]
    read: Annotated[Text, StringConstraints(max_length=100_000)] = ""


class PaperPreview(OfPaper, PaperText):
    """How a report would read with a text changed."""


class RunNamed(Input):
    """A run by its id."""

    name: Annotated[str, StringConstraints(pattern=r"^\d{8}-\d{6}-[0-9a-f]{6}$")]


class GoBack(Input):
    """The edition to go back to, and why."""

    edition: Annotated[EditionId, StringConstraints(min_length=1)]
    reason: Reason


class QuestionsOf(Input):
    """Of which unit questions are wanted; of all in sight without one."""

    unit: Division | Literal[""] = ""


View = TypeVar("View", bound=Callable[..., Any])
Model = TypeVar("Model", bound=Input)


def takes(
    *,
    path: type[Input] = Nothing,
    query: type[Input] = Nothing,
    form: type[Input] | None = None,
    body: type[Input] | None = None,
) -> Callable[[View], View]:
    """What a route takes from its address, the query behind it, and a form or JSON as its body."""

    def mark(view: View) -> View:
        view.takes = {"path": path, "query": query, "form": form, "body": body}  # type: ignore[attr-defined]
        return view

    return mark


def given(kind: type[Model]) -> Model:
    """What the request being answered brought, as its schema has it."""
    for found in flask.g.given.values():
        if isinstance(found, kind):
            return found
    raise LookupError(kind.__name__)


def read(view: Callable[..., Any] | None, path: Mapping[str, Any] | None) -> None:
    """Hold the request against what its route takes. Raises `BadInput`."""
    told: dict[str, Any] = getattr(view, "takes", {})
    request = flask.request
    found: dict[str, Any] = {}
    if told:
        try:
            found["path"] = told["path"].model_validate(dict(path or {}))
        except ValidationError:
            # What could not be called so does not exist.
            raise BadInput("没有这个网址。请从导航重新打开页面。", 404) from None
        for name in told["query"].model_fields:
            # Whichever of the two were taken, somebody would get what nobody asked for.
            if len(set(request.args.getlist(name))) > 1:
                raise BadInput(
                    f"网址里的 {name} 写了几个不同的值，只能有一个。请改正网址，或从页面重新打开。"
                )
        found["query"] = _held(told["query"], request.args.to_dict())
        if told["form"] is not None:
            # A part that is a file has no place in any of our forms.
            found["form"] = _held(told["form"], request.form.to_dict())
        if told["body"] is not None:
            if not request.is_json:
                raise BadInput("请求的内容不是 JSON。请刷新页面后重试。", 415)
            found["body"] = _held_json(told["body"], request.get_data(cache=True))
    flask.g.given = found


def check_address(path: str, query: bytes) -> None:
    """Refuse an address that no page or link of ours has."""
    if len(path) > PATH_CHARACTERS or len(query) > QUERY_CHARACTERS:
        raise BadInput("网址太长。请从导航重新打开页面。", 414)
    # werkzeug puts a mark in the place of what is not UTF-8.
    if _LINE.search(path) or "\ufffd" in path:
        raise BadInput("网址里有不能显示的字符。请检查网址，或从导航重新打开页面。")


def _held(kind: type[Input], values: Mapping[str, Any]) -> Input:
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        raise BadInput(_sentence(error)) from None


def _held_json(kind: type[Input], body: bytes) -> Input:
    try:
        return kind.model_validate_json(body)
    except ValidationError as error:
        raise BadInput(_sentence(error)) from None


_WHY = {
    "missing": "没有给出",
    "string_too_long": "太长（最多 {max_length} 字）",
    "string_too_short": "是空的",
    "too_long": "太多（最多 {max_length} 项）",
    "literal_error": "只能是 {expected}",
    "json_invalid": "不是能读的 JSON",
}


def _sentence(error: ValidationError) -> str:
    """The first thing wrong, in words: which field, why, what to do. The value itself is not repeated."""
    first = error.errors(include_url=False, include_input=False)[0]
    field = str(first["loc"][0])[:40] if first["loc"] else ""
    context = {name: str(value) for name, value in first.get("ctx", {}).items()}
    if first["type"] == "value_error":
        why = context.get("error", "")
    else:
        why = _WHY.get(first["type"], "不是规定的写法").format_map(context).replace(" or ", " 或 ")
    where = f"请求里的“{field}”{why}" if field else f"请求{why}"
    return f"{where}，没有处理。请刷新页面后重试。"


# --- Dash's endpoint ---------------------------------------------------------------------------------------------------

Key = Annotated[Line, StringConstraints(max_length=500)]


class _Property(Input):
    """A property of a component, and with an input its value."""

    id: Key | dict[Key, Key | int | float | bool]
    property: Name
    value: Any = None


_Properties = Annotated[
    list[_Property | Annotated[list[_Property], Field(max_length=200)]], Field(max_length=50)
]


class _CallbackCall(Input):
    output: Annotated[Line, StringConstraints(max_length=2000)]
    outputs: _Property | _Properties = Field(default_factory=list)
    inputs: _Properties = Field(default_factory=list)
    state: _Properties = Field(default_factory=list)
    changedPropIds: Annotated[list[Key], Field(max_length=500)] = Field(default_factory=list)


_STALE = BadInput("页面和服务的版本对不上。请刷新页面后重试。")


@dataclass(frozen=True)
class Call:
    """A call of a callback that holds: which, and the values of its inputs and states in their order."""

    output: str
    values: tuple[Any, ...]


class Callbacks:
    """The callbacks of an application, and what each of them takes."""

    def __init__(self, callbacks: Mapping[str, Mapping[str, Any]]) -> None:
        self._callbacks = callbacks
        self._kinds: dict[str, list[TypeAdapter[Any]]] = {}

    def check(self, data: bytes) -> Call:
        """Hold a call of Dash's endpoint against the callback it names. Raises `BadInput`."""
        try:
            call = _CallbackCall.model_validate_json(data)
        except ValidationError as error:
            raise BadInput(_sentence(error)) from None
        callback = self._callbacks.get(call.output)
        # One without a function is carried out in the browser and never asked for here.
        if callback is None or callback.get("callback") is None:
            raise _STALE
        declared = callback["output"]
        outputs = [
            {"id": item.component_id_str(), "property": item.component_property}
            for item in (declared if isinstance(declared, (list, tuple)) else [declared])
        ]
        _same(call.outputs if isinstance(call.outputs, list) else [call.outputs], outputs)
        _same(call.inputs, callback["inputs"])
        _same(call.state, callback["state"])
        known = {f"{_written(p.id)}.{p.property}" for item in call.inputs for p in _listed(item)}
        if not known.issuperset(call.changedPropIds):
            raise _STALE
        values = [
            [p.value for p in item] if isinstance(item, list) else item.value
            for item in [*call.inputs, *call.state]
        ]
        for kind, value in zip(self.kinds(call.output), values, strict=True):
            try:
                kind.validate_python(value)
            except ValidationError as error:
                raise BadInput(_sentence(error)) from None
        return Call(call.output, tuple(values))

    def kinds(self, output: str) -> list[TypeAdapter[Any]]:
        """The types of a callback's parameters, as its function declares them. Raises `TypeError` for one without."""
        found = self._kinds.get(output)
        if found is None:
            function = self._callbacks[output]["callback"]
            function = getattr(function, "__wrapped__", function)
            hints = typing.get_type_hints(function, include_extras=True)
            names = function.__code__.co_varnames[: function.__code__.co_argcount]
            if any(name not in hints for name in names):
                raise TypeError(f"the callback of {output} does not say the types of its inputs")
            found = self._kinds[output] = [TypeAdapter(hints[name]) for name in names]
        return found


def _listed(item: _Property | list[_Property]) -> list[_Property]:
    return item if isinstance(item, list) else [item]


def _written(identity: Any) -> str:
    if isinstance(identity, str):
        return identity
    return json.dumps(identity, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _same(
    sent: typing.Sequence[_Property | list[_Property]], declared: typing.Sequence[Mapping[str, str]]
) -> None:
    """Whether the same properties are meant, in the same order."""
    if len(sent) != len(declared):
        raise _STALE
    for item, own in zip(sent, declared, strict=True):
        has_pattern = own["id"].startswith("{")
        if isinstance(item, list) and not has_pattern:
            raise _STALE
        for one in _listed(item):
            fits = _fits(one.id, own["id"]) if has_pattern else one.id == own["id"]
            if not fits or one.property != own["property"]:
                raise _STALE


def _fits(identity: Any, pattern: str) -> bool:
    wanted = json.loads(pattern)
    if not isinstance(identity, dict) or identity.keys() != wanted.keys():
        return False
    # Where the pattern has a list (["ALL"]), anything may stand.
    return all(isinstance(own, list) or identity[name] == own for name, own in wanted.items())
