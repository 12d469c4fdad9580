"""The page as plain HTML within the first answer: to be read while the browser still fetches what draws it.

Its elements are those of the page itself, so it says the same. What needs scripts is left out: a field is shown with what is
chosen in it, a chart keeps its place, a table is waited for. It carries no names that scripts look for, and goes when the
page has arrived.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

# Of the properties of an element, those that say something without a script, and what HTML calls them.
_ATTRIBUTES = {
    "className": "class",
    "href": "href",
    "src": "src",
    "alt": "alt",
    "title": "title",
    "role": "role",
    "hidden": "hidden",
    "download": "download",
    "target": "target",
    "type": "type",
    "placeholder": "placeholder",
    "colSpan": "colspan",
    "rowSpan": "rowspan",
    "scope": "scope",
    "start": "start",
    "open": "open",
    "width": "width",
    "height": "height",
    "value": "value",
}
_VOID = {"img", "input", "br", "hr", "col"}
_CAPITAL = re.compile("[A-Z]")


def first_sight(shell: Any, content: Any, navigation: Any) -> str:
    """The shell with a page in it, both `plain` elements, as HTML."""
    inside = {"content": content, "nav": navigation}
    return f'<div id="first-sight">{"".join(_html(shell, inside))}</div>'


def _html(element: Any, inside: Mapping[str, Any]) -> Iterator[str]:
    if isinstance(element, (list, tuple)):
        for item in element:
            yield from _html(item, inside)
    elif not isinstance(element, Mapping):
        yield "" if element is None or isinstance(element, bool) else escape(str(element))
    elif element["namespace"] == "dash_html_components":
        yield from _tag(element["type"].lower(), element["props"], inside)
    else:
        yield from _other(element["type"], element["props"], inside)


def _tag(tag: str, props: Mapping[str, Any], inside: Mapping[str, Any]) -> Iterator[str]:
    yield f"<{tag}{_attributes(props)}>"
    if tag in _VOID:
        return
    name = props.get("id")
    own = inside.get(name) if isinstance(name, str) else None
    yield from _html(props.get("children") if own is None else own, inside)
    yield f"</{tag}>"


def _other(kind: str, props: Mapping[str, Any], inside: Mapping[str, Any]) -> Iterator[str]:
    """An element of which only scripts make something."""
    if kind in ("MantineProvider", "Loading"):
        yield from _html(props.get("children"), inside)
    elif kind in ("Select", "MultiSelect", "TextInput", "SegmentedControl", "InputWrapper"):
        yield f"<div{_attributes({'className': props.get('className', '')})}>"
        if props.get("label"):
            yield f"<label>{escape(str(props['label']))}</label>"
        if kind == "InputWrapper":
            yield from _html(props.get("children"), inside)
        else:
            told = _chosen(props)
            look = "field" if told else "field is-empty"
            yield f'<div class="{look}">{escape(told or str(props.get("placeholder") or ""))}</div>'
        yield "</div>"
    elif kind == "Input":
        yield f"<input{_attributes(props)} disabled>"
    elif kind == "AgGrid":
        yield '<p class="grid-waits">正在读取表格…</p>'
    elif "style" in props:
        yield f"<div{_attributes({'style': props['style']})}></div>"


def _chosen(props: Mapping[str, Any]) -> str:
    """What is chosen in a field, in words; '' for nothing."""
    value = props.get("value")
    chosen = value if isinstance(value, (list, tuple)) else [value]
    names = {}
    for item in props.get("data") or []:
        for option in item.get("items", [item]):
            names[option.get("value")] = option.get("label")
    return "、".join(str(names.get(item, item)) for item in chosen if item)


def _attributes(props: Mapping[str, Any]) -> str:
    found = []
    for name, value in props.items():
        own = _ATTRIBUTES.get(name, name if name.startswith("aria-") else None)
        if own is None or value is None or value is False:
            continue
        found.append(f" {own}" if value is True else f' {own}="{escape(str(value))}"')
    style = props.get("style")
    if style:
        text = ";".join(
            f"{_CAPITAL.sub(lambda match: '-' + match[0].lower(), name)}:{value}"
            for name, value in style.items()
            if value is not None
        )
        found.append(f' style="{escape(text)}"')
    return "".join(found)


def parts_of(answer: bytes) -> tuple[Any, Any]:
    """Content and navigation of an answer of the callback that draws a page."""
    told = json.loads(answer)["response"]
    return told["content"]["children"], told["nav"]["children"]
