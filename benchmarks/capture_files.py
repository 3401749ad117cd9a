"""Capture files of a wanted size, as Event Hubs Capture writes them, made once and used again.

Schema: learn.microsoft.com/azure/event-hubs/explore-captured-avro-files
"""

import json
import os
import tempfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import fastavro
import msgspec

from benchmarks import activity, identities
from benchmarks.activity import Record

FOLDER = Path(__file__).resolve().parent.parent / "build" / "bench"
"""Where they are kept."""

SEED = 20261102

_MIXED_SHARE = 0.85
_BLOCK = 1 << 18
_EVENT_OVERHEAD = 90
_VALUES = {"type": "map", "values": ["long", "double", "string", "bytes"]}
SCHEMA = {
    "type": "record",
    "name": "EventData",
    "namespace": "Microsoft.ServiceBus.Messaging",
    "fields": [
        {"name": "SequenceNumber", "type": "long"},
        {"name": "Offset", "type": "string"},
        {"name": "EnqueuedTimeUtc", "type": "string"},
        {"name": "SystemProperties", "type": _VALUES},
        {"name": "Properties", "type": _VALUES},
        {"name": "Body", "type": ["null", "bytes"]},
    ],
}


@dataclass(frozen=True, slots=True)
class Shape:
    """What a capture file is to be like.

    Attributes:
        megabytes: its size before compression, in millions of bytes.
        codec: `null` or `deflate`.
        many: whether a body holds many entries, 20 to 80, rather than one.
        spaced: whether the JSON has spaces after colons and commas.
        mixed: whether most entries are of other categories, as where a hub carries resource logs, too.
    """

    megabytes: float
    codec: str = "null"
    many: bool = True
    spaced: bool = False
    mixed: bool = False

    @property
    def name(self) -> str:
        """For files."""
        bodies = "many" if self.many else "one"
        further = ("-spaced" if self.spaced else "") + ("-mixed" if self.mixed else "")
        return f"{self.megabytes:g}mb-{self.codec}-{bodies}{further}"

    def __str__(self) -> str:
        bodies = "" if self.many else ", one entry a body"
        further = (", spaced JSON" if self.spaced else "") + (", mixed" if self.mixed else "")
        return f"{self.megabytes:g} MB {self.codec}{bodies}{further}"


def made(shape: Shape, folder: Path = FOLDER, seed: int = SEED) -> Path:
    """The file of that shape. It is made if it is not there, or was made by other code."""
    path = folder / f"{shape.name}-{seed}-{_code():08x}.avro"
    if path.exists():
        return path
    folder.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=folder, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            # The marker depends on the seed too, so that the same seed gives the same bytes.
            marker = Random(seed).randbytes(16)  # noqa: S311 - no secret
            fastavro.writer(
                file, SCHEMA, events(shape, seed), shape.codec, sync_interval=_BLOCK, sync_marker=marker
            )
        Path(temporary).replace(path)
    finally:
        Path(temporary).unlink(missing_ok=True)
    return path


def events(shape: Shape, seed: int) -> Iterator[dict[str, Any]]:
    """Events up to the wanted size."""
    rng = Random(seed)  # noqa: S311 - made-up activity
    others = _MIXED_SHARE if shape.mixed else activity.OTHER_SHARE
    entries = (text_of(record, spaced=shape.spaced) for record in activity.arrivals(seed, others))
    left = int(shape.megabytes * 1_000_000)
    number = 0
    while left > 0:
        body = envelope(islice(entries, rng.randint(20, 80) if shape.many else 1))
        yield event(number, body)
        number += 1
        left -= len(body) + _EVENT_OVERHEAD


def text_of(record: Record, *, spaced: bool = False) -> bytes:
    """An entry's JSON text."""
    return json.dumps(record).encode() if spaced else msgspec.json.encode(record)


def envelope(entries: Iterable[bytes]) -> bytes:
    """The body of an event of Azure Monitor."""
    return b'{"records":[' + b",".join(entries) + b"]}"


def event(number: int, body: bytes) -> dict[str, Any]:
    """An event as Capture writes it."""
    return {
        "SequenceNumber": 1_000 + number,
        "Offset": str(8_589_934_592 + 4_096 * number),
        "EnqueuedTimeUtc": "11/2/2026 9:00:00 AM",
        "SystemProperties": {"x-opt-enqueued-time": 1_793_610_000_000 + number},
        "Properties": {},
        "Body": body,
    }


def _code() -> int:
    """Changes when the code that makes the files does."""
    sources = (activity.__file__, identities.__file__, __file__)
    return zlib.crc32(b"".join(Path(source).read_bytes() for source in sources))
