"""The strong peer: the same work with the fastest general packages, `fastavro`, `orjson` and `isal`."""

from collections.abc import Callable
from pathlib import Path

import orjson
from isal import igzip

from benchmarks.ways.bodies import bodies
from benchmarks.ways.outcome import Outcome
from benchmarks.ways.plain import Tools, condense


def prepare(file: Path, _finished: Path | None) -> Callable[[], Outcome]:
    """Everything with dicts, but fast ones."""
    return lambda: condense(file, Tools(bodies, orjson.loads, orjson.dumps, igzip.compress))
