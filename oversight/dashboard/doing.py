"""Routes that do something for a page: who may, what they take, and one sentence where it cannot be done."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import flask

from oversight.accounts.exist import StoreError
from oversight.accounts.identity import needs
from oversight.accounts.roles import Action
from oversight.dashboard.gate import changes, refusal
from oversight.dashboard.inputs import Input, takes
from oversight.dashboard.shelf import Unavailable
from oversight.dashboard.warehouse import Outdated
from oversight.errors import OversightError

Route = Callable[..., Callable[[Callable[..., Any]], Any]]


def doing(routes: flask.Blueprint, action: Action) -> Route:
    """A decorator for the routes of a page that needs `action`: method, address, and kinds as `takes` has them.

    A view answers with a response or with what becomes JSON. `needing` names another action for a single route.
    """

    def route(
        method: str, address: str, *, needing: Action = action, **kinds: type[Input]
    ) -> Callable[[Callable[..., Any]], Any]:
        def mark(view: Callable[..., Any]) -> Any:
            @wraps(view)
            def answer(**options: Any) -> Any:
                try:
                    found = view(**options)
                except (StoreError, Outdated):
                    # Told in the same words wherever they come up.
                    raise
                except Unavailable:
                    return refusal("还没有数据版本。请先由管理员运行 oversight run。", 409)
                except OversightError as error:
                    return refusal(str(error), 400)
                return found if isinstance(found, flask.Response) else flask.jsonify(found)

            marked = needs(needing)(takes(**kinds)(answer))
            return routes.route(address, methods=[method])(changes(marked) if method == "POST" else marked)

        return mark

    return route
