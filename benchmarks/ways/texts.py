"""The texts of entries, found again in the capture file that they came in."""

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from isal import isal_zlib

from shared.capture.avro_header import header_of, long_at
from shared.capture.inflate import RAW_DEFLATE
from shared.capture.whole import Spot

_HEADER: Final = 1 << 16
_NUMBERS: Final = 20
"""Bytes that the two numbers before a block have at most."""


class Texts:
    """One capture file, in which entries are looked up.

    Args:
        file: it.

    Raises:
        ValueError: it has no header that can be read.
    """

    def __init__(self, file: Path) -> None:
        self._file = file.open("rb", buffering=0)
        header = header_of(os.pread(self._file.fileno(), _HEADER, 0), last=True)
        if header is None:
            raise ValueError(f"{file} has no header")
        self._is_compressed = header.codec == "deflate"

    def close(self) -> None:
        """Be done with the file."""
        self._file.close()

    def at(self, spots: Iterable[Spot]) -> list[bytes]:
        """The texts of the entries there."""
        if not self._is_compressed:
            return [os.pread(self._file.fileno(), spot.size, spot.offset) for spot in spots]
        by_block: defaultdict[int, list[Spot]] = defaultdict(list)
        for spot in spots:
            by_block[spot.offset].append(spot)
        return [text for block, some in by_block.items() for text in self._in_block(block, some)]

    def _in_block(self, block: int, spots: Sequence[Spot]) -> Iterator[bytes]:
        number = self._file.fileno()
        head = os.pread(number, _NUMBERS, block)
        _, at = long_at(head, 0)
        size, at = long_at(head, at)
        end = max(spot.place + spot.size for spot in spots)
        packed = os.pread(number, size, block + at)
        content = isal_zlib.decompressobj(wbits=RAW_DEFLATE).decompress(packed, end)
        for spot in spots:
            yield content[spot.place : spot.place + spot.size]
