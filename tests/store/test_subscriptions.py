"""Subscriptions: read back as they were saved, guarded by ETags, thousands at once."""

from dataclasses import replace

import pytest

from shared.model.reasons import Reason
from shared.model.subscription import Subscription
from shared.store.storage import Storage
from shared.store.subscriptions import SubscriptionStore
from shared.store.tables import ConflictError, Stored
from tests.helpers.facts import INTEGRATION, NOW, a_guid, a_subscription, stamp


@pytest.fixture
def store(storage: Storage) -> SubscriptionStore:
    return SubscriptionStore(storage)


def _blocked() -> Subscription:
    row = a_subscription(1, writes=3, written_at=NOW, verified_at=NOW, handled=stamp(3))
    upkeep = replace(row.upkeep, reason=Reason.ROLE_MISSING, detail="403 AuthorizationFailed: «no»")
    return replace(row, upkeep=upkeep)


@pytest.mark.parametrize(
    "row",
    [
        a_subscription(),
        _blocked(),
        replace(a_subscription(), first_seen="", last_seen="", delegated_since=None, name="", state=""),
    ],
)
async def test_a_subscription_reads_back_as_it_was_saved(store: SubscriptionStore, row: Subscription) -> None:
    await store.save([Stored(row, "")])
    found = await store.read(INTEGRATION, row.subscription_id)
    assert found is not None
    assert found.fact == row


async def test_a_subscription_that_is_not_there_is_none(store: SubscriptionStore) -> None:
    assert await store.read(INTEGRATION, a_guid(404)) is None


async def test_integrations_do_not_see_each_others_subscriptions(store: SubscriptionStore) -> None:
    await store.save([Stored(a_subscription(1), "")])
    await store.save([Stored(a_subscription(1, integration_id=a_guid(9)), "")])
    assert [row.fact.integration_id for row in await store.list(INTEGRATION)] == [INTEGRATION]


async def test_two_thousand_subscriptions_are_saved_and_listed(store: SubscriptionStore) -> None:
    await store.save(Stored(a_subscription(number), "") for number in range(2000))
    assert len(await store.list(INTEGRATION)) == 2000


async def test_of_two_who_save_a_subscription_the_second_loses(store: SubscriptionStore) -> None:
    await store.save([Stored(a_subscription(1), "")])
    stored = await store.read(INTEGRATION, a_guid(1))
    assert stored is not None
    await store.save([replace(stored, fact=replace(stored.fact, name="first"))])
    with pytest.raises(ConflictError):
        await store.save([replace(stored, fact=replace(stored.fact, name="second"))])


async def test_a_new_row_that_is_there_already_is_a_conflict(store: SubscriptionStore) -> None:
    await store.save([Stored(a_subscription(1), "")])
    with pytest.raises(ConflictError):
        await store.save([Stored(a_subscription(1), "")])
