"""What comes late and what never comes, from event to condensed file, with a clock that the test moves."""

from datetime import timedelta
from typing import Any

from shared.capture.entries import CONDENSED
from shared.model.captures import Counts
from tests.capture.activity_log import capture_file, envelope, record
from tests.capture.app import WAIT, App


async def revisions(app: App) -> list[dict[str, Any]]:
    """All condensed records so far, by operation and revision."""
    lines = [line[CONDENSED] for lines in (await app.condensed()).values() for line in lines]
    return sorted(lines, key=lambda line: (line["uid"], line["revision"]))


async def test_an_end_that_never_comes_is_not_waited_for_longer_than_the_wait_and_one_that_comes_late_counts(
    app: App,
) -> None:
    start, accept = record("Start"), record("Accept", 1)
    await app.handle(await app.upload(capture_file([envelope(start)])))

    app.now += WAIT - timedelta(seconds=1)
    await app.handle(await app.upload(capture_file([envelope(accept)]), partition=1))
    assert await app.flusher.flush() == Counts()
    assert await revisions(app) == []

    app.now += timedelta(seconds=1)
    assert await app.flusher.flush() == Counts(condensed=2, unparked=2, operations=1)
    assert await app.flusher.flush() == Counts()
    (first,) = await revisions(app)
    assert (first["revision"], first["outcome"], first["num_correlated_records"]) == (1, "unknown", 2)

    app.now += timedelta(hours=3)
    late = await app.handle(await app.upload(capture_file([envelope(record("Success", 2))]), partition=2))
    assert late == Counts(entries=1, condensed=1, operations=1)
    again = await app.handle(await app.upload(capture_file([envelope(record("Success", 2), start)])))
    assert again == Counts(entries=2, duplicates=2)
    first, second = await revisions(app)
    assert second["uid"] == first["uid"]
    assert (second["revision"], second["outcome"], second["num_correlated_records"]) == (2, "success", 3)

    totals = await app.captures.totals(app.integration)
    assert totals == Counts(entries=5, condensed=3, duplicates=2, parked=2, unparked=2, operations=2)
    totals.check()
    messages = await app.messages()
    assert len(messages) == 2
    assert messages[0]["source"].startswith("flush-")

    app.now += timedelta(days=2)
    await app.flusher.flush()
    assert await app.operations.needing_attention(app.integration, app.now + timedelta(days=9)) == []
