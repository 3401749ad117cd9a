"""The naive way: the official Avro package and Python's own `json` and `gzip`, with their defaults."""

import gzip
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from avro.datafile import DataFileReader
from avro.io import DatumReader

from benchmarks.ways.outcome import Outcome
from benchmarks.ways.plain import Tools, condense


def prepare(file: Path, outcome: Outcome, _finished: Path | None) -> Callable[[], None]:
    """Everything with dicts."""
    return lambda: condense(file, outcome, Tools(_bodies, json.loads, _dumps, gzip.compress))


def _bodies(file: Path) -> Iterator[bytes]:
    with file.open("rb") as stream, DataFileReader(stream, DatumReader()) as events:
        event: Any
        for event in events:
            yield event["Body"]


def _dumps(value: Any) -> bytes:  # noqa: ANN401 - any JSON value
    return json.dumps(value, separators=(",", ":")).encode()
