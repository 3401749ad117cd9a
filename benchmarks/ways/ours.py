"""Our way: the pure functions that the capture handler uses."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.ways.outcome import Outcome
from shared.capture.correlate import Run, correlate
from shared.capture.decode import entries_of_capture
from shared.capture.output import compressed, lines_of
from shared.capture.sift import sift
from shared.model.operations import Known

_RUN = Run("benchmark", datetime(2026, 11, 2, 10, tzinfo=UTC), timedelta(minutes=15))


def prepare(file: Path, _finished: Path | None) -> Callable[[], Outcome]:
    """Decode, sift, correlate, condense, compress."""
    return lambda: _condense(file)


def _condense(file: Path) -> Outcome:
    sifted = sift(entries_of_capture(file.read_bytes(), file.name))
    plan = correlate(sifted.administrative, Known(), _RUN)
    (sifted.counts + plan.counts).check()
    passed = [*sifted.passed, *plan.passed]
    condensed = compressed(lines_of(passed, plan.records))
    members = [member for operation in plan.operations for member in operation.members]
    members += [member for room in plan.rooms for member in room.members]
    return Outcome(condensed, b"".join(member.raw + b"\n" for member in members if member.waits))
