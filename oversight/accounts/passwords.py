"""Passwords: what is good enough, and how they are kept (argon2id)."""

from __future__ import annotations

import secrets
import threading
import unicodedata
from functools import cache

import argon2

from oversight.errors import OversightError

LEAST = 10
MOST = 200
_KINDS_LEAST = 3
# Long ones may be of few kinds: a phrase is as good.
_LONG = 16
_COMMON = (
    *(
        "password",
        "passw0rd",
        "qwerty",
        "asdfgh",
        "1qaz2wsx",
        "zaq12wsx",
        "admin",
        "welcome",
        "letmein",
        "iloveyou",
    ),
    *(
        "woaini",
        "abc123",
        "123456",
        "654321",
        "111111",
        "000000",
        "888888",
        "666666",
        "520520",
        "xiangzhen",
        "minzheng",
    ),
)
_LETTERS = "abcdefghjkmnpqrstuvwxyzABCDEFGHJKMNPQRSTUVWXYZ23456789"
# Each takes 19 MB while it lasts: two at once bound the memory, whoever tries.
_turns = threading.BoundedSemaphore(2)


class PasswordError(OversightError):
    """A password that will not do, and why."""


@cache
def _hasher() -> argon2.PasswordHasher:
    return argon2.PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)


@cache
def _nobody() -> str:
    return _hasher().hash(secrets.token_hex(16))


def check_rules(password: str, name: str) -> None:
    """Raise `PasswordError` unless it is long, of several kinds of characters, and not a word everybody tries."""
    text = unicodedata.normalize("NFKC", password)
    if not LEAST <= len(text) <= MOST:
        raise PasswordError(f"密码要有 {LEAST} 到 {MOST} 个字符，现有 {len(text)} 个。请换一个。")
    kinds = sum(
        (
            any(c.islower() for c in text),
            any(c.isupper() for c in text),
            any(c.isdigit() for c in text),
            any(not c.isalnum() for c in text),
            any(c.isalpha() and not c.isascii() for c in text),
        )
    )
    if kinds < _KINDS_LEAST and len(text) < _LONG:
        raise PasswordError(
            f"密码要有小写字母、大写字母、数字、符号、汉字中的至少 {_KINDS_LEAST} 种，或不少于 {_LONG} 个字符。请换一个。"
        )
    folded = text.casefold()
    if name.casefold() in folded or any(len(folded) - len(word) < 6 and word in folded for word in _COMMON):
        raise PasswordError("密码含有账号名或常见的词，容易被猜到。请换一个。")
    if len(set(folded)) < 6:
        raise PasswordError("密码里不同的字符太少，容易被猜到。请换一个。")


def made() -> str:
    """A password to be handed over once and changed at the first sign-in."""
    while True:
        found = "-".join("".join(secrets.choice(_LETTERS) for _ in range(5)) for _ in range(3))
        if (
            any(c.isdigit() for c in found)
            and any(c.isupper() for c in found)
            and any(c.islower() for c in found)
        ):
            return found


def digest(password: str) -> str:
    """What is kept of a password."""
    with _turns:
        return _hasher().hash(unicodedata.normalize("NFKC", password))


def is_right(kept: str | None, password: str) -> bool:
    """Whether it is the password; takes as long where there is none."""
    with _turns:
        try:
            _hasher().verify(kept or _nobody(), unicodedata.normalize("NFKC", password)[: MOST + 1])
        except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
            return False
        return kept is not None
