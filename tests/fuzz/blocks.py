"""Which blocks of a file are sound, told from the file as a whole rather than as it comes."""

import io
import zlib
from dataclasses import dataclass

import fastavro

from shared.capture.avro_header import DECODING_ERRORS, BrokenAvroError, Header, header_of, long_at

_CHECKSUM = 4
_LARGEST = 1 << 26


@dataclass(frozen=True)
class Blocks:
    """What stands between the markers of a file.

    Attributes:
        sound: blocks that are right, each as a file of its own.
        broken: how many are not, but for those that may be part of one that is not.
    """

    sound: list[bytes]
    broken: int


def blocks_of(data: bytes) -> Blocks | None:
    """The blocks of a file; None if its header is broken, or its marker may overlap with itself."""
    try:
        header = header_of(data, last=True)
    except BrokenAvroError:
        return None
    assert header is not None
    marker = header.sync
    if any(marker.startswith(marker[shift:]) for shift in range(1, len(marker))):
        return None
    sound: list[bytes] = []
    broken = 0
    at = header.end
    while at < len(data):
        claimed = _claimed_end(data, at, marker)
        if claimed >= 0 and _is_sound(data[at:claimed], header):
            end = claimed
            sound.append(data[: header.end] + data[at : end + len(marker)])
        else:
            # A block that claims as much as several blocks have may take them along.
            end = max(claimed, data.find(marker, at))
            broken += 1
        at = len(data) if end < 0 else end + len(marker)
    return Blocks(sound, broken)


def _is_sound(block: bytes, header: Header) -> bool:
    try:
        count, at = long_at(block, 0)
        size, at = long_at(block, at)
    except (EOFError, ValueError):
        return False
    content = block[at:]
    if size != len(content):
        return False
    if header.codec == "deflate":
        stream = zlib.decompressobj(wbits=-zlib.MAX_WBITS)
        try:
            content = stream.decompress(content)
        except zlib.error:
            return False
        if not stream.eof or len(stream.unused_data) > _CHECKSUM:
            return False
    return _holds(content, count, header)


def _holds(content: bytes, count: int, header: Header) -> bool:
    stream = io.BytesIO(content)
    read = 0
    while (start := stream.tell()) < len(content):
        try:
            fastavro.schemaless_reader(stream, header.schema, None)
        except DECODING_ERRORS:
            return False
        if stream.tell() == start:
            return False
        read += 1
    return read == count


def _claimed_end(data: bytes, at: int, marker: bytes) -> int:
    """Where the marker is that a block's size points at; -1 if at none."""
    try:
        _, at = long_at(data, at)
        size, at = long_at(data, at)
    except (EOFError, ValueError):
        return -1
    return at + size if 0 <= size <= _LARGEST and data.startswith(marker, at + size) else -1
