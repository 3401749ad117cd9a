"""The texts of entries, found again in the capture file that they came in."""

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from shared.capture.avro_header import header_of, long_at
from shared.capture.whole import Spot

_HEADER: Final = 1 << 16
_NUMBERS: Final = 20
"""Bytes that the two numbers before a block have at most."""


class Texts:
    """One capture file, in which entries are looked up.

    Args:
        file: it.

    Attributes:
        are_plain: whether they stand there as they are, which they do not where blocks are compressed.

    Raises:
        ValueError: the file has no header that can be read.
    """

    def __init__(self, file: Path) -> None:
        self._file = file.open("rb", buffering=0)
        header = header_of(os.pread(self._file.fileno(), _HEADER, 0), last=True)
        if header is None:
            raise ValueError(f"{file} has no header")
        self.are_plain = header.codec == "null"

    def close(self) -> None:
        """Be done with the file."""
        self._file.close()

    def at(self, spots: Iterable[Spot]) -> list[bytes]:
        """The texts of the entries there, if they are plain."""
        by_block: defaultdict[int, list[Spot]] = defaultdict(list)
        for spot in spots:
            by_block[spot.block].append(spot)
        return [text for block, some in by_block.items() for text in self._in_block(block, some)]

    def _in_block(self, block: int, spots: Sequence[Spot]) -> Iterator[bytes]:
        number = self._file.fileno()
        head = os.pread(number, _NUMBERS, block)
        _, at = long_at(head, 0)
        _, at = long_at(head, at)
        for spot in spots:
            yield os.pread(number, spot.size, block + at + spot.place)
