"""What every way makes of a capture file, and how two outcomes are compared."""

import gzip
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from shared.capture.entries import CONDENSED


@dataclass(frozen=True, slots=True)
class Outcome:
    """A folder with what came of a capture file.

    Attributes:
        folder: where it is.
    """

    folder: Path

    @property
    def condensed(self) -> Path:
        """Lines that leave, as NDJSON in gzip."""
        return self.folder / "condensed.ndjson.gz"

    @property
    def parked(self) -> Path:
        """Entries that wait for the rest of their operation, as NDJSON."""
        return self.folder / "parked.ndjson"


def digest(outcome: Outcome) -> str:
    """The same for outcomes of the same content, whatever the order of lines and fields, and the spacing.

    Of records with the same `uid` the one of the highest revision counts, which holds everything that the
    others do, and how many came before it does not matter.
    """
    whole = hashlib.sha256()
    condensed = gzip.decompress(outcome.condensed.read_bytes()).splitlines()
    for lines in (_latest(condensed), map(msgspec.json.decode, outcome.parked.read_bytes().splitlines())):
        texts = sorted(msgspec.json.encode(line, order="deterministic") for line in lines)
        whole.update(f"{len(texts)}\n".encode())
        for text in texts:
            whole.update(text + b"\n")
    return whole.hexdigest()


def _latest(lines: list[bytes]) -> Iterator[Any]:
    records: dict[str, Any] = {}
    revisions: dict[str, int] = {}
    for line in map(msgspec.json.decode, lines):
        facts = line.get(CONDENSED)
        if facts is None:
            yield line
            continue
        uid, revision = facts["uid"], facts.pop("revision")
        if revision > revisions.get(uid, 0):
            records[uid], revisions[uid] = line, revision
    yield from records.values()
