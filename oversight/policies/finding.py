"""Where a quotation stands in a document, whatever its spaces, line breaks and punctuation are.

Two texts are the same here when their letters, digits and characters are: 每人每月 0.22 元 is found in 每人每月０．２２
元 broken over two lines. The words themselves are never taken for others.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from oversight.policies.reading import Paragraph

# A piece of a quotation shorter than this says too little to stand for it.
LEAST_PIECE = 8


@dataclass(frozen=True)
class Span:
    """Characters of one paragraph, from `start` up to `end`."""

    paragraph: int
    start: int
    end: int


@dataclass(frozen=True)
class Place:
    """Where a quotation stands; not `is_whole`, where only a piece of it was found."""

    spans: tuple[Span, ...]
    is_whole: bool = True

    @property
    def paragraph(self) -> int:
        """The paragraph in which it begins."""
        return self.spans[0].paragraph


class Text:
    """A document made ready to be searched."""

    def __init__(self, paragraphs: Sequence[Paragraph]) -> None:
        self.paragraphs = tuple(paragraphs)
        self._characters = ""
        # Of each character kept: its paragraph and where it stands in it.
        self._at: list[tuple[int, int]] = []
        kept: list[str] = []
        for number, paragraph in enumerate(self.paragraphs):
            for place, own in _kept_of(paragraph.text):
                kept.append(own)
                self._at.append((number, place))
        self._characters = "".join(kept)

    def find(self, quotation: str) -> Place | None:
        """Where it stands: as a whole, in pieces that follow each other, or its longest piece; None for none of it."""
        # A quotation leaves out by dots.
        parts = [part for part in map(plain, re.split(r"…+|\.{3,}", quotation)) if part]
        spans = self._all_of(parts)
        if spans:
            return Place(spans)
        pieces = sorted((plain(piece) for piece in re.split(r"[，。；：、！？…]", quotation)), key=len)
        for piece in reversed(pieces):
            at = self._characters.find(piece) if len(piece) >= LEAST_PIECE else -1
            if at >= 0:
                return Place(self._spans(at, len(piece)), is_whole=False)
        return None

    def with_words(self, words: Sequence[str]) -> list[int]:
        """The paragraphs in which every word stands."""
        wanted = [word for word in map(plain, words) if word]
        if not wanted:
            return []
        return [
            number
            for number, paragraph in enumerate(self.paragraphs)
            if all(word in plain(paragraph.text) for word in wanted)
        ]

    def words_in(self, number: int, words: Sequence[str]) -> tuple[Span, ...]:
        """Where the words stand in a paragraph, none upon another."""
        own = Text([self.paragraphs[number]])
        found: list[tuple[int, int]] = []
        for word in sorted({plain(word) for word in words} - {""}, key=len, reverse=True):
            at = own._characters.find(word)
            while at >= 0:
                span = own._spans(at, len(word))[0]
                if all(span.end <= start or span.start >= end for start, end in found):
                    found.append((span.start, span.end))
                at = own._characters.find(word, at + len(word))
        return tuple(Span(number, start, end) for start, end in sorted(found))

    def _all_of(self, parts: Sequence[str]) -> tuple[Span, ...]:
        spans: list[Span] = []
        at = 0
        for part in parts:
            at = self._characters.find(part, at)
            if at < 0:
                return ()
            spans += self._spans(at, len(part))
            at += len(part)
        return tuple(spans)

    def _spans(self, at: int, length: int) -> tuple[Span, ...]:
        spans: dict[int, tuple[int, int]] = {}
        for number, place in self._at[at : at + length]:
            first, _ = spans.get(number, (place, place))
            spans[number] = (first, place + 1)
        return tuple(Span(number, *span) for number, span in spans.items())


def plain(text: str) -> str:
    """A text's letters, digits and characters alone, in one width and case; a point between digits stays."""
    return "".join(own for _, own in _kept_of(text))


# How a character is read, which some web pages write behind it: 縣(xiàn).
_GLOSS = re.compile(r"(?<=[\u3400-\u9fff])[(（][a-zü\u00e0-\u01dc]{1,6}[)）]")


def _kept_of(text: str) -> Iterator[tuple[int, str]]:
    glosses = {place for match in _GLOSS.finditer(text) for place in range(*match.span())}
    for place, character in enumerate(text):
        if place in glosses:
            continue
        kept = _kept(character)
        # 0.22 is not 022; the point after a number at the head of a paragraph says nothing.
        if kept == "." and not (text[place - 1 : place].isdigit() and text[place + 1 : place + 2].isdigit()):
            continue
        for own in kept:
            yield place, own


@lru_cache(maxsize=20_000)
def _kept(character: str) -> str:
    if character in ".．":
        return "."
    return "".join(
        own.lower()
        for own in unicodedata.normalize("NFKC", character)
        if unicodedata.category(own)[0] in "LN" or own in "%‰"
    )
