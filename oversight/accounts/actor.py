"""Who does something, as accounts and the record name them."""

from __future__ import annotations

import getpass
import os
from dataclasses import dataclass
from functools import cached_property

from oversight.accounts.scope import WHOLE, Scope


@dataclass(frozen=True)
class Actor:
    """A name, what it may do and see, and from where it acts."""

    name: str
    role: str
    divisions: tuple[str, ...]
    address: str

    @cached_property
    def scope(self) -> Scope:
        """What they may see."""
        return Scope.of(self.divisions)


def at_the_machine() -> Actor:
    """Whoever may run commands on the server may do everything, under the name the system knows."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        name = str(os.getuid())
    return Actor(f"本机用户 {name}", "administrator", (WHOLE,), "本机命令行")
