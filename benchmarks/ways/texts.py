"""The texts of entries, found again in the capture file that they came in."""

import os
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from isal import igzip_lib

from shared.capture.avro_header import header_of, long_at
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

    def at(self, spots: Iterable[Spot]) -> dict[Spot, bytes]:
        """The texts of the entries there. A block of which several are asked for is decompressed once."""
        if not self._is_compressed:
            return {spot: os.pread(self._file.fileno(), spot.size, spot.offset) for spot in spots}
        by_block: defaultdict[int, list[Spot]] = defaultdict(list)
        for spot in spots:
            by_block[spot.offset].append(spot)
        texts: dict[Spot, bytes] = {}
        for block, some in by_block.items():
            content = self._content(block, max(spot.place + spot.size for spot in some))
            texts |= {spot: content[spot.place : spot.place + spot.size] for spot in some}
        return texts

    def _content(self, block: int, size: int) -> bytes:
        """The first bytes of what a compressed block holds."""
        number = self._file.fileno()
        head = os.pread(number, _NUMBERS, block)
        _, at = long_at(head, 0)
        packed_size, at = long_at(head, at)
        packed = os.pread(number, packed_size, block + at)
        return igzip_lib.IgzipDecompressor(igzip_lib.DECOMP_DEFLATE).decompress(packed, size)
