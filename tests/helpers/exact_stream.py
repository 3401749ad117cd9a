"""A stream of log entries drawn from a seed, and the capture files that it becomes."""

from dataclasses import dataclass
from random import Random
from typing import Any, Final

from tests.capture.activity_log import SIGNATURES, capture_file, envelope

type Record = dict[str, Any]

WINDOW: Final = 60
"""Seconds that a capture file covers."""

LATE: Final = 5
"""Windows within which the entries of a correlation ID are shuffled, unless some come too late."""

_COURSES: Final = (
    ("Start", "Success"),
    ("Start", "Success"),
    ("Start", "Failure"),
    ("Start", "Accept", "Success"),
    ("Start", "Accept", "Accept", "Success", "Success"),
    ("Start", "Failure", "Start", "Failure", "Start", "Success"),
    ("Start", "Accept", "Canceled"),
    ("Success",),
    ("Accept", "Failure"),
    ("Start",),
    ("Start", "Accept"),
    ("Active",),
)
_DUPLICATES, _JUNK, _OTHERS, _TOO_LATE = 0.08, 0.1, 0.15, 0.06


@dataclass(frozen=True, slots=True)
class File:
    """A capture file.

    Attributes:
        window: in which it was closed.
        partition: it came from.
        records: what stands in it.
        junk: how many bodies in it cannot be read.
        data: its bytes.
    """

    window: int
    partition: int
    records: tuple[Record, ...]
    junk: int
    data: bytes


@dataclass(frozen=True, slots=True)
class _Placed:
    window: int
    partition: int
    record: Record


def draw_files(random: Random, wait: int, *, busy: bool) -> list[File]:
    """The files of a stream, by window.

    Args:
        random: everything comes from it.
        wait: seconds that an entry waits for its operation.
        busy: whether there is to be much in it.
    """
    partitions = random.randint(1, 8)
    windows = random.choice((5, 6) if busy else (1, 1, 2, 3))
    stream = _Stream(random, partitions, windows, -(-wait // WINDOW))
    for number in range(random.choice((5, 7) if busy else (1, 2, 2, 3, 4))):
        stream.correlation(f"Corr-{number}")
    placed = stream.placed
    copies = [one for one in placed if random.random() < _DUPLICATES]
    placed += [
        _Placed(one.window + random.randrange(LATE), random.randrange(partitions), one.record)
        for one in copies
    ]
    random.shuffle(placed)
    by_file: dict[tuple[int, int], list[Record]] = {}
    for one in placed:
        by_file.setdefault((one.window, one.partition), []).append(one.record)
    return [_file(random, *place, records) for place, records in sorted(by_file.items())]


class _Stream:
    def __init__(self, random: Random, partitions: int, windows: int, too_late: int) -> None:
        self.placed: list[_Placed] = []
        self._random = random
        self._partitions = partitions
        self._windows = windows
        self._too_late = too_late
        self._clock = 0

    def correlation(self, name: str) -> None:
        """All that happens under one correlation ID."""
        random = self._random
        kind = random.random()
        window = random.randrange(self._windows)
        operations = random.choice((1, 1, 1, 2, 5))
        if kind < 0.1:
            statuses = random.choice(_COURSES)
            operation = f"Op/{random.choice('AB')}"
            for number, status in enumerate(statuses):
                named = operation if number == 0 or random.random() < 0.4 else None
                self._add(window, name, status, named, None, may_be_late=False)
            return
        partial = kind < 0.35
        for number in range(operations):
            operation = f"Op/{random.choice('ABC')}"
            resource = f"/Sub/R{random.randrange(3)}"
            for status in random.choice(_COURSES):
                self._add(window, name, status, operation, resource, may_be_late=not partial)
            if random.random() < _OTHERS:
                self._other(window, name, number)
        if partial:
            statuses = random.choice(_COURSES)
            for _ in range(random.randint(1, 4)):
                operation = random.choice((None, None, "Op/A", "Op/B", "Op/D"))
                resource = None if operation else random.choice((None, "/Sub/R0", "/Sub/R9"))
                self._add(window, name, random.choice(statuses), operation, resource, may_be_late=False)

    def _add(
        self,
        window: int,
        correlation: str,
        status: str,
        operation: str | None,
        resource: str | None,
        *,
        may_be_late: bool,
    ) -> None:
        random = self._random
        late = random.randrange(LATE)
        if may_be_late and random.random() < _TOO_LATE:
            late += self._too_late
        fields = {
            "resourceId": _cased(random, resource),
            "operationName": _cased(random, operation),
            "correlationId": _cased(random, correlation),
        }
        self._place(window + late, self._record(status, "Administrative", fields))

    def _other(self, window: int, correlation: str, number: int) -> None:
        """An entry that is not to be combined."""
        category, correlation = self._random.choice((("Policy", correlation), ("Administrative", "")))
        fields = {"resourceId": f"/r{number}", "operationName": "Op/Other", "correlationId": correlation}
        self._place(window, self._record("Success", category, fields))

    def _record(self, status: str, category: str, fields: dict[str, str | None]) -> Record:
        self._clock += 1
        minutes, seconds = divmod(self._clock, 60)
        made = {
            "time": f"2024-05-01T10:{minutes:02}:{seconds:02}.1234567Z",
            **fields,
            "category": category,
            "resultType": status,
            "resultSignature": SIGNATURES.get(status, f"{status}."),
            "properties": {"number": self._clock, "text": "\u00e9" * self._random.randrange(9)},
        }
        return {name: value for name, value in made.items() if value is not None}

    def _place(self, window: int, record: Record) -> None:
        self.placed.append(_Placed(window, self._random.randrange(self._partitions), record))


def _cased(random: Random, text: str | None) -> str | None:
    return text.upper() if text is not None and random.random() < 0.3 else text


def _file(random: Random, window: int, partition: int, records: list[Record]) -> File:
    bodies: list[bytes | None] = []
    left = list(records)
    while left:
        size = random.randint(1, 9)
        some, left = left[:size], left[size:]
        bodies.append(envelope(*some))
    junk = int(random.random() < _JUNK)
    if junk:
        bodies.insert(random.randrange(len(bodies) + 1), random.choice((None, b"junk", b'{"records":[1]}')))
    data = capture_file(bodies, codec=random.choice(("null", "deflate")))
    return File(window, partition, tuple(records), junk, data)
