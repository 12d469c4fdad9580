"""Routes that answer JSON: for whom, what they take, and that what goes wrong is one sentence."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Protocol

import flask

from oversight.accounts.identity import needs
from oversight.accounts.roles import Action
from oversight.dashboard.gate import changes, refusal
from oversight.dashboard.inputs import Input, takes
from oversight.dashboard.warehouse import Unavailable
from oversight.errors import OversightError


class Route(Protocol):
    """Adds a route for whoever may do `action`; `kinds` as `takes` has them."""

    def __call__(
        self, method: str, address: str, action: Action, **kinds: type[Input]
    ) -> Callable[[Callable[..., Any]], Any]:
        """The decorator."""


def json_routes(name: str, wrong: type[OversightError]) -> tuple[flask.Blueprint, Route]:
    """A blueprint and its decorator; an error of kind `wrong` is told to whoever asked."""
    routes = flask.Blueprint(name, __name__)

    def route(
        method: str, address: str, action: Action, **kinds: type[Input]
    ) -> Callable[[Callable[..., Any]], Any]:
        def mark(view: Callable[..., Any]) -> Any:
            @wraps(view)
            def answer(**options: Any) -> Any:
                try:
                    found = view(**options)
                except wrong as error:
                    return refusal(str(error), 400)
                except Unavailable:
                    return refusal("还没有数据版本。请先由管理员运行 oversight run。", 409)
                return found if isinstance(found, flask.Response) else flask.jsonify(found)

            marked = needs(action)(takes(**kinds)(answer))
            return routes.route(address, methods=[method])(changes(marked) if method == "POST" else marked)

        return mark

    return routes, route
