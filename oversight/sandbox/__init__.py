"""SQL by users: one SELECT in a process of its own, on a file that holds only what the user may see.

What is guaranteed, in the order in which an attack would meet it:

- the statement is exactly one SELECT by DuckDB's own parser (`child`);
- DuckDB reads nothing but the file attached: external access off, configuration locked, read-only, no spilling;
- on Linux, a system-call filter in the process refuses to open any file, start any process or use any socket,
  whatever DuckDB may be talked into; where the system allows it, the process also has a network of its own that
  leads nowhere (`jail`);
- memory, processor time and processes are limited by the kernel, and the parent ends the process at its time (`pool`);
- the file holds no row outside the user's scope (`scope`), so that nothing above is what keeps secrets.

A process answers one question and ends; the next one is made ready meanwhile.
"""

from __future__ import annotations

from oversight.sandbox.messages import QueryError
from oversight.sandbox.pool import Answer, Limits, Sandbox
from oversight.sandbox.scope import scoped_copy

__all__ = ["Answer", "Limits", "QueryError", "Sandbox", "scoped_copy"]
