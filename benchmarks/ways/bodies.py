"""The bodies of a capture file's events, by fastavro."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fastavro


def bodies(file: Path) -> Iterator[bytes]:
    """All of them, in their order."""
    with file.open("rb") as stream:
        events: Iterator[Any] = fastavro.reader(stream)
        for event in events:
            yield event["Body"]
