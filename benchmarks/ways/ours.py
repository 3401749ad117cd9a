"""Our way: the pure functions that the capture handler uses, in the same order and with the same sizes.

A scratch file stands where the handler has its table, and decides about each bucket of it by itself; what
that costs is measured by `benchmarks.round_trips`.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.ways.kept import Kept
from benchmarks.ways.outcome import Outcome
from shared.capture.correlate import Run, correlate
from shared.capture.output import Packer, Tally, lines_of
from shared.capture.parts import Parts
from shared.capture.sift import Sifted
from shared.model.captures import Counts
from shared.store.blobs import RANGE

_NOW = datetime(2026, 11, 2, 10, tzinfo=UTC)
_WAIT = timedelta(minutes=15)


def prepare(file: Path, outcome: Outcome, _finished: Path | None) -> Callable[[], None]:
    """Read in ranges, decode, sort into parts, correlate, condense, compress."""
    Parts(file.name)  # The kernel is compiled once in a process.
    return lambda: _condense(file, outcome)


def _condense(file: Path, outcome: Outcome) -> None:
    parts, packer, tally = Parts(file.name), Packer(), Tally()
    counts = Counts()
    number = 0
    with file.open("rb", buffering=0) as source, outcome.condensed.open("wb") as target, Kept(file) as kept:

        def leave(ready: Iterable[Sifted]) -> None:
            nonlocal counts, number
            for part in ready:
                run = Run(f"benchmark-{number}", _NOW, _WAIT)
                number += 1
                plan = correlate(part.administrative, kept.known(part), run, part.whole)
                kept.keep(plan)
                passed = [*part.passed, *plan.passed]
                tally.add(passed, plan.records, plan.whole)
                target.write(packer.add(lines_of(passed, plan.records, plan.whole)))
                counts += part.counts + plan.counts

        for _ in range(0, file.stat().st_size, RANGE):
            leave(parts.feed(source.read(RANGE)))
        leave(parts.feed(b"", last=True))
        leave([parts.rest()])
        target.write(packer.end())
        with outcome.parked.open("wb") as parked:
            parked.writelines(kept.waiting())
    counts.check()
