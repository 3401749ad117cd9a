"""The floor: what nobody can save who reads the file, looks at its JSON once, and compresses once.

The JSON is only scanned for where its entries are. Grouping and writing lines cost nothing: the lines are
ready-made, from a way that was run before. They are compressed at the level that ours uses, since at another
the files would differ in size.
"""

import gzip
from collections.abc import Callable
from pathlib import Path

import msgspec
from isal import igzip

from benchmarks.ways.bodies import bodies
from benchmarks.ways.outcome import Outcome
from shared.capture.output import LEVEL


class _Envelope(msgspec.Struct):
    records: list[msgspec.Raw]


_DECODER = msgspec.json.Decoder(_Envelope)


def prepare(file: Path, outcome: Outcome, finished: Path | None) -> Callable[[], None]:
    """Scan and compress; `finished` is the folder of an outcome.

    Raises:
        ValueError: there is none.
    """
    if finished is None:
        raise ValueError("the floor needs ready-made lines")
    ready = Outcome(finished)
    lines = gzip.decompress(ready.condensed.read_bytes())
    parked = ready.parked.read_bytes()

    def work() -> None:
        for body in bodies(file):
            _DECODER.decode(body)
        outcome.condensed.write_bytes(igzip.compress(lines, LEVEL))
        outcome.parked.write_bytes(parked)

    return work
