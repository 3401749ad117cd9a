"""Why a capture file lies aside, as operators see it."""

import pytest

from shared.portal.set_aside import set_aside_view
from shared.store.set_aside import SetAsideStore
from shared.store.storage import Storage
from tests.capture.activity_log import capture_file, envelope, record
from tests.capture.app import App
from tests.capture.scenes import gone

HALF = capture_file([envelope(record(), record("Success", 1)), b"junk"])
IN_PART = "holds what could not be read; the list names each with its reason"


@pytest.fixture
def app(storage: Storage) -> App:
    """The capture step in an account of its own."""
    return App(storage)


async def reasons(app: App) -> list[object]:
    aside = SetAsideStore(app.storage, app.problems, lambda: app.now)
    return [set_aside_view(one)["reason"] for one in await aside.list()]


async def test_a_file_that_could_be_read_in_part_says_so(app: App) -> None:
    await app.handle(await app.upload(HALF))
    assert await reasons(app) == [IN_PART]


async def test_what_was_in_the_way_of_an_earlier_try_is_no_reason_any_more(app: App) -> None:
    file = await app.upload(HALF)
    async with gone(app, file):
        with pytest.raises(Exception, match="BlobNotFound"):
            await app.handle(file)
    await app.handle(file)
    assert await reasons(app) == [IN_PART]


@pytest.mark.parametrize("fails_first", [False, True])
async def test_a_file_that_could_not_be_read_at_all_says_why(app: App, fails_first: bool) -> None:
    file = await app.upload(b"junk")
    if fails_first:
        async with gone(app, file):
            with pytest.raises(Exception, match="BlobNotFound"):
                await app.handle(file)
    await app.handle(file)
    assert await reasons(app) == ["not an Avro file"]


async def test_a_file_of_nobody_says_whose_hub_is_missing(app: App) -> None:
    file = await app.upload(HALF, hub="nobody")
    await app.handle(file)
    assert await reasons(app) == [f"the hub {file.namespace}/nobody is assigned to no customer"]
