"""What a template of `defaults/` makes of data: pages set by typst, and the charts that stand on them.

Text is never read as mark-up; nothing is read or written outside a temporary folder and the folders of fonts.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from oversight import scratch
from oversight.reports import fonts
from oversight.reports.config import DEFAULTS
from oversight.reports.errors import ReportError
from oversight.settings import TIME_ZONE

if TYPE_CHECKING:
    import typst


def set_pages(
    template: str,
    data: dict[str, Any],
    made: datetime,
    own_fonts: Path,
    *,
    pictures: Mapping[str, bytes] | None = None,
    form: Literal["pdf", "png"] = "pdf",
    is_tagged: bool = True,
) -> bytes:
    """PDF/A-2 of all pages, or the first page as png. `pictures`: SVG by name. Raises `ReportError`."""
    standard: Literal["a-2a", "a-2u"] | None = None
    if form == "pdf":
        standard = "a-2a" if is_tagged else "a-2u"
    stamp = made if made.tzinfo else made.replace(tzinfo=TIME_ZONE)
    page = pages(
        template,
        data,
        _font_folders(own_fonts),
        form=form,
        pictures=pictures or {},
        timestamp=int(stamp.timestamp()),
        pdf_tags=is_tagged,
        pdf_standards=standard,
    )[0]
    # The default, spelt out, makes readers that know an older form of the entry complain; its bytes become blanks.
    return page.replace(_SUSPECTS, b" " * len(_SUSPECTS), 1) if form == "pdf" else page


_SUSPECTS = b"/Suspects false"


def pages(
    template: str,
    data: dict[str, Any],
    font_folders: Sequence[Path],
    *,
    form: Literal["pdf", "svg", "png"],
    pictures: Mapping[str, bytes] | None = None,
    per_inch: float | None = None,
    **options: Any,
) -> list[bytes]:
    """What the template makes of `data`, which it reads as report.json: one PDF, or a picture a page.

    `options` are typst's own. Raises `ReportError`.
    """
    import typst

    with _laid_out(template, data, pictures or {}) as root, _told():
        made_of: bytes | list[bytes] = typst.compile(
            str(root / template),
            root=str(root),
            format=form,
            ppi=per_inch,
            font_paths=_loaded(font_folders),
            **options,
        )
    return made_of if isinstance(made_of, list) else [made_of]


def last_page(template: str, data: dict[str, Any], own_fonts: Path, pictures: Mapping[str, bytes]) -> int:
    """The page on which the template says that its text ends. Raises `ReportError`."""
    import typst

    with _laid_out(template, data, pictures) as root, _told():
        found = typst.query(
            str(root / template),
            "<last>",
            field="value",
            one=True,
            root=str(root),
            font_paths=_loaded(_font_folders(own_fonts)),
        )
    return int(found)


def _font_folders(own_fonts: Path) -> list[Path]:
    return [own_fonts, fonts.folder()] if own_fonts.is_dir() else [fonts.folder()]


def _loaded(folders: Sequence[Path]) -> typst.Fonts:
    """The fonts of these folders, read again only when a file of theirs has changed."""
    files = sorted(path for each in folders for path in each.rglob("*") if path.is_file())
    seen = tuple((str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in files)
    return _fonts(tuple(map(str, folders)), seen)


# To look through forty megabytes of fonts takes as long as to set a page, and a report is set up to eight times.
@lru_cache(maxsize=4)
def _fonts(folders: tuple[str, ...], _: tuple[tuple[str, int, int], ...]) -> typst.Fonts:
    import typst

    # The same pages on every computer: no font of the system's own.
    return typst.Fonts(include_system_fonts=False, font_paths=list(folders))


@contextmanager
def _laid_out(template: str, data: dict[str, Any], pictures: Mapping[str, bytes]) -> Iterator[Path]:
    with scratch.folder() as root:
        (root / template).write_bytes((DEFAULTS / template).read_bytes())
        (root / "report.json").write_text(json.dumps(data, ensure_ascii=False), "utf-8")
        for key, picture in pictures.items():
            (root / f"{key}.svg").write_bytes(picture)
        yield root


@contextmanager
def _told() -> Iterator[None]:
    import typst

    try:
        yield
    except typst.TypstError as error:
        raise ReportError(
            f"PDF 排版失败：{error.message}。请检查 report/fonts 里的字体后重新生成。"
        ) from error
