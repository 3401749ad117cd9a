"""Shapes: which fields entries have, in which order. Nearly all entries of a file share a few."""

from collections.abc import Sequence
from operator import itemgetter
from typing import Any, Final

import msgspec

from shared.capture.rawjson import Slice, Slices, name_text, refs_of

PER_ENTRY: Final = frozenset({"properties", "resultSignature"})
"""Fields that each entry has for itself, so that the base of a condensed record does not lend them."""


class Shape:
    """The names of the fields of an entry, in their order.

    Args:
        names: none twice.

    Attributes:
        size: bytes of a compact entry's text that are not in its values.
        lends: whether an entry of this shape has enough fields to be compared place by place.
    """

    __slots__ = ("_befores", "_lent", "_lent_befores", "_own", "lends", "size")

    def __init__(self, names: Sequence[str]) -> None:
        self._befores = [b"," + name_text(name) + b":" for name in names]
        self._own = [
            (place, name, before)
            for place, (name, before) in enumerate(zip(names, self._befores, strict=True))
            if name in PER_ENTRY
        ]
        lent = [name for name in names if name not in PER_ENTRY]
        self._lent_befores = _opened([b"," + name_text(name) + b":" for name in lent])
        self.lends = len(lent) > 1
        self._lent = itemgetter(*lent) if self.lends else None
        self.size = sum(map(len, self._befores)) + (1 if names else 2)

    def is_spaced(self, text: bytes, fields: Slices) -> bool:
        """Whether the text is made of these fields, each once, with spaces as around the first of them."""
        opening = b"{ " if text.startswith(b"{ ") else b"{"
        name = len(opening) + len(self._befores[0]) - 2
        colon = b": " if text.startswith(b": ", name) else b":"
        value = name + len(colon) + len(next(iter(fields.values())))
        comma = b", " if text.startswith(b", ", value) else b","
        pieces: list[Slice] = []
        for before, each in zip(self._befores, fields.values(), strict=True):
            pieces += (comma, before[1:-1], colon, each)
        pieces[0] = opening
        pieces.append(b" }" if text.endswith(b" }") else b"}")
        return b"".join(pieces) == text

    def lent(self, base: Slices) -> list[Slice | None]:
        """The values that the base of a condensed record lends; None in the places of those it does not."""
        values: list[Slice | None] = [*base.values()]
        for place, _, _ in self._own:
            values[place] = None
        return values

    def opening(self, base: Slices) -> list[Slice]:
        """The text of a record up to the last field that the base lends."""
        pieces: list[Slice] = [b""] * (2 * len(self._lent_befores))
        pieces[::2] = self._lent_befores
        pieces[1::2] = () if self._lent is None else self._lent(base)
        return pieces

    def own(self, base: Slices) -> list[Slice]:
        """An object of the fields that the base does not lend, but for its last brace."""
        pieces: list[Slice] = []
        for _, name, before in self._own:
            pieces += (before, base[name])
        return _opened(pieces)

    def differing(self, fields: Slices, lent: Sequence[Slice | None]) -> list[Slice]:
        """Likewise, of the fields in which another entry of this shape differs from what is lent."""
        pieces: list[Slice] = []
        for before, value, other in zip(self._befores, fields.values(), lent, strict=True):
            if value != other:
                pieces += (before, value)
        return _opened(pieces)


def _opened(pieces: list[Any]) -> list[Any]:
    """The pieces with a brace in place of the first comma."""
    if not pieces:
        return [b"{"]
    pieces[0] = b"{" + pieces[0][1:]
    return pieces


_SHAPES: dict[tuple[str, ...], Shape] = {}
_MOST: Final = 1_000


def taken_apart(text: bytes) -> tuple[Shape, Slices] | None:
    """Shape and fields of an entry's text; None if the text is odd, and has to be read by name.

    Spaces, a field that stands twice and escapes in a name make a text longer than the sum of what the fields
    show, so that a text whose length is exactly that sum has none of it. Of a longer one it is seen whether
    spaces alone, in the same places around each field, make it so.
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
    is_compact = shape.size + sum(map(len, fields.values())) == len(text)
    return (shape, fields) if shape.lends and (is_compact or shape.is_spaced(text, fields)) else None
