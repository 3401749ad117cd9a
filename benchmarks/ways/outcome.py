"""What every way hands back, and how two of them are compared."""

import gzip
import hashlib
from dataclasses import dataclass
from pathlib import Path

import msgspec


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a capture file.

    Attributes:
        condensed: lines that leave, as NDJSON in gzip.
        parked: entries that wait for the rest of their operation, as NDJSON.
    """

    condensed: bytes
    parked: bytes

    def write(self, folder: Path) -> None:
        """Keep it for whoever reads it back."""
        (folder / "condensed.ndjson.gz").write_bytes(self.condensed)
        (folder / "parked.ndjson").write_bytes(self.parked)

    @classmethod
    def read(cls, folder: Path) -> "Outcome":
        """What was kept."""
        return cls((folder / "condensed.ndjson.gz").read_bytes(), (folder / "parked.ndjson").read_bytes())


def digest(outcome: Outcome) -> str:
    """The same for outcomes of the same content, whatever the order of lines and fields, and the spacing."""
    whole = hashlib.sha256()
    for lines in (gzip.decompress(outcome.condensed), outcome.parked):
        texts = sorted(map(_canonical, lines.splitlines()))
        whole.update(f"{len(texts)}\n".encode())
        for text in texts:
            whole.update(text + b"\n")
    return whole.hexdigest()


def _canonical(line: bytes) -> bytes:
    return msgspec.json.encode(msgspec.json.decode(line), order="deterministic")
