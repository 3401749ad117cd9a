"""Stamps of complete listings: the last three, oldest first."""

from dataclasses import replace

import pytest

from shared.store.listings import KEPT, ListingStore
from shared.store.storage import Storage
from shared.store.tables import ConflictError
from tests.helpers.facts import stamp


@pytest.fixture
def store(storage: Storage) -> ListingStore:
    return ListingStore(storage)


async def test_at_first_no_listing_was_complete(store: ListingStore) -> None:
    found = await store.read("subscriptions", "all")
    assert (found.fact, found.etag) == ((), "")


async def test_only_the_last_stamps_are_kept(store: ListingStore) -> None:
    stamps: tuple[str, ...] = ()
    for number in range(5):
        stamps = (*stamps, stamp(number))
        found = await store.read("subscriptions", "all")
        await store.save("subscriptions", "all", replace(found, fact=stamps))
    assert (await store.read("subscriptions", "all")).fact == stamps[-KEPT:]


async def test_scopes_do_not_mix(store: ListingStore) -> None:
    found = await store.read("subscriptions", "all")
    await store.save("subscriptions", "all", replace(found, fact=(stamp(1),)))
    assert (await store.read("subscriptions", "other")).fact == ()
    assert (await store.read("resources", "all")).fact == ()


async def test_of_two_listings_completed_at_once_one_loses(store: ListingStore) -> None:
    found = await store.read("subscriptions", "all")
    await store.save("subscriptions", "all", replace(found, fact=(stamp(1),)))
    with pytest.raises(ConflictError):
        await store.save("subscriptions", "all", replace(found, fact=(stamp(2),)))
    assert (await store.read("subscriptions", "all")).fact == (stamp(1),)
