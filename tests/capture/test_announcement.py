"""A condensed file is announced when all is well with it, and for as long as nobody reads of it."""

from datetime import timedelta

import pytest

from shared.capture.handoff import CONDENSED_QUEUE
from tests.capture.activity_log import capture_file, envelope, record
from tests.capture.app import App
from tests.capture.scenes import WHOLE, fail, put


async def test_whoever_was_away_for_a_month_still_hears_of_a_file(app: App) -> None:
    await app.handle(await app.upload(WHOLE))
    queue = await app.storage.queue(CONDENSED_QUEUE)
    (message,) = [found async for found in queue.receive_messages(visibility_timeout=1)]
    assert message.expires_on - message.inserted_on > timedelta(days=31)


async def test_a_file_whose_entries_do_not_add_up_is_not_announced(app: App) -> None:
    """Somebody put another file in the place of one that was begun, which lacks an entry that waits."""
    whole, more = [record(), record("Success", 1)], record("Start", correlation="other")
    file = await app.upload(capture_file([envelope(*whole, more)]))
    await fail(app, file)
    await put(app, file, capture_file([envelope(*whole)]))
    with pytest.raises(AssertionError, match="not accounted for"):
        await app.handle(file)
    assert await app.messages() == []
    assert await app.condensed() == {}
