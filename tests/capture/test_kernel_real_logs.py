"""Real logs as Capture would have written them: the kernel reads them as the exact way does."""

from pathlib import Path
from random import Random

import pytest

from tests.capture.in_parts import check_parts
from tests.capture.test_real_logs_captured import captured, entries_in


@pytest.mark.parametrize("codec", ["null", "deflate"])
def test_real_logs_are_cut_into_the_same_parts_however_they_come(samples: Path, codec: str) -> None:
    found = entries_in(samples)
    for path, entries in found.items():
        try:
            check_parts(captured(entries, codec), (0, 100_003))
        except AssertionError as error:
            error.add_note(f"the file is {path.name}")
            raise
    mixed = [entry for entries in found.values() for entry in entries]
    Random(7).shuffle(mixed)  # noqa: S311 - an order, no secret
    parts = check_parts(captured(mixed, codec), (0, 30_011), 1 << 17)
    assert len(parts) > 3
    assert sum(len(part.whole) for part in parts) > 3
