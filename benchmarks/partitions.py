"""One stream of operations spread over the partitions of a hub, as capture files of several windows."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

import fastavro

from benchmarks.activity import Operation, operations
from benchmarks.capture_files import SCHEMA, envelope, event, text_of

PARTITIONS = 4
SPLIT_SHARE = 0.75
"""Of the operations that have several entries."""

_PER_BODY = 20


@dataclass(frozen=True, slots=True)
class Spread:
    """Capture files, and what is in them.

    Attributes:
        windows: for each window the file of each partition.
        entries: in all files.
        operations: that have several entries.
        split: those of them whose entries are in several files.
    """

    windows: tuple[tuple[bytes, ...], ...]
    entries: int
    operations: int
    split: int


def spread(windows: int, entries: int, seed: int) -> Spread:
    """At least so many entries, in `windows` files for each partition."""
    rng = Random(seed)  # noqa: S311 - made-up activity
    files: dict[tuple[int, int], list[bytes]] = {}
    total = several = split = 0
    for operation in operations(seed):
        places = _places(operation, windows, rng)
        for place, (_, record) in zip(places, operation.entries, strict=True):
            files.setdefault(place, []).append(text_of(record))
        total += len(places)
        several += len(places) > 1
        split += len(set(places)) > 1
        if total >= entries:
            break
    made = tuple(
        tuple(_file(files.get((window, partition), [])) for partition in range(PARTITIONS))
        for window in range(windows)
    )
    return Spread(made, total, several, split)


def _places(operation: Operation, windows: int, rng: Random) -> list[tuple[int, int]]:
    """Window and partition of each entry, in the order in which they arrive."""
    number = len(operation.entries)
    window = rng.randrange(windows)
    if number == 1 or rng.random() >= SPLIT_SHARE:
        return [(window, rng.randrange(PARTITIONS))] * number
    later = sorted(rng.randrange(window, windows) for _ in range(number))
    places = [(one, rng.randrange(PARTITIONS)) for one in later]
    if len(set(places)) == 1:
        last, partition = places[-1]
        places[-1] = (last, (partition + 1) % PARTITIONS)
    return places


def _file(entries: list[bytes]) -> bytes:
    return _avro(
        event(number, envelope(entries[start : start + _PER_BODY]))
        for number, start in enumerate(range(0, len(entries), _PER_BODY))
    )


def _avro(events: Iterator[dict[str, object]]) -> bytes:
    stream = io.BytesIO()
    fastavro.writer(stream, SCHEMA, events)
    return stream.getvalue()
