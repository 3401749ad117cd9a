"""Shapes: which fields entries have, in which order. Nearly all entries of a file share a few."""

from collections.abc import Sequence
from typing import Final

import msgspec

from shared.capture.rawjson import Slice, Slices, name_text, refs_of

PER_ENTRY: Final = frozenset({"properties", "resultSignature"})
"""Fields that each entry has for itself, so that the base of a condensed record does not lend them."""


class Shape:
    """The names of the fields of entries whose text is compact, in their order.

    Args:
        names: none twice.

    Attributes:
        size: bytes of an entry's text that are not in its values.
    """

    __slots__ = ("_befores", "_own", "size")

    def __init__(self, names: Sequence[str]) -> None:
        self._befores = [b"," + name_text(name) + b":" for name in names]
        self._own = [place for place, name in enumerate(names) if name in PER_ENTRY]
        self.size = sum(map(len, self._befores)) + (1 if names else 2)

    def lent(self, base: Slices) -> list[Slice | None]:
        """The values that the base of a condensed record lends; None in the places of those it does not."""
        values: list[Slice | None] = [*base.values()]
        for place in self._own:
            values[place] = None
        return values

    def opening(self, lent: Sequence[Slice | None]) -> list[Slice]:
        """The text of a record up to the last field that the base lends, and a comma."""
        pieces: list[Slice] = []
        for before, value in zip(self._befores, lent, strict=True):
            if value is not None:
                pieces += (before, value)
        return [b"{", *_without_comma(pieces), b","]

    def own(self, base: Slices) -> list[Slice]:
        """The fields that the base does not lend."""
        values = [*base.values()]
        pieces: list[Slice] = []
        for place in self._own:
            pieces += (self._befores[place], values[place])
        return _without_comma(pieces)

    def differing(self, fields: Slices, lent: Sequence[Slice | None]) -> list[Slice]:
        """The fields in which another entry of this shape differs from what is lent."""
        pieces: list[Slice] = []
        for before, value, other in zip(self._befores, fields.values(), lent, strict=True):
            if value != other:
                pieces += (before, value)
        return _without_comma(pieces)


_SHAPES: dict[tuple[str, ...], Shape] = {}
_MOST: Final = 1_000


def taken_apart(text: bytes) -> tuple[Shape, Slices] | None:
    """Shape and fields of an entry's text; None if the text is not compact, or odd in any other way.

    Spaces, a field that stands twice and escapes in a name make a text longer than the sum of what the fields
    show, so that a text whose length is exactly that sum has none of it.
    """
    try:
        fields = refs_of(text)
    except (msgspec.DecodeError, RecursionError):
        return None
    names = tuple(fields)
    shape = _SHAPES.get(names)
    if shape is None:
        if len(_SHAPES) >= _MOST:
            _SHAPES.clear()
        shape = _SHAPES[names] = Shape(names)
    return (shape, fields) if shape.size + sum(map(len, fields.values())) == len(text) else None


def _without_comma(pieces: list[Slice]) -> list[Slice]:
    if pieces:
        pieces[0] = bytes(pieces[0])[1:]
    return pieces
