"""The strong peer: the same work with the fastest general packages, `fastavro`, `orjson` and `isal`."""

from collections.abc import Callable
from pathlib import Path

import orjson
from isal import igzip

from benchmarks.ways.bodies import bodies
from benchmarks.ways.outcome import Outcome
from benchmarks.ways.plain import Tools, condense
from shared.capture.output import LEVEL


def prepare(file: Path, outcome: Outcome, _finished: Path | None) -> Callable[[], None]:
    """Everything with dicts, but fast ones."""
    return lambda: condense(file, outcome, Tools(bodies, orjson.loads, orjson.dumps, _compress))


def _compress(data: bytes) -> bytes:
    # At the level that ours uses: the default of this function is a slower one, that of `igzip.open` is this.
    return igzip.compress(data, LEVEL)
