import os
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from local.azurite import Azurite
from shared.model.ids import SEPARATOR
from shared.model.operations import Member, Operation, OperationKey, WaitingRoom
from shared.settings import StorageSettings
from shared.store.archives import Finished
from shared.store.blobs import BlobStore, ContainerName
from shared.store.bucket_rows import Loaded
from shared.store.drafts import Novelty
from shared.store.kept import id_of, mark_of
from shared.store.operations import BUCKETS, OperationStore, bucket_of
from shared.store.storage import Storage
from shared.store.tables import ConflictError
from shared.store.wish import View
from tests.capture.app import NoCredential

NOW = datetime(2024, 5, 1, 10, 0, 0, 250, tzinfo=UTC)
WAIT = timedelta(minutes=15)


@pytest.fixture
async def storage(azurite: Azurite) -> AsyncIterator[Storage]:
    settings = StorageSettings(azurite.connection_string, "", "", "")
    async with Storage(settings, NoCredential()) as storage:
        yield storage


@pytest.fixture
def store(storage: Storage) -> OperationStore:
    return OperationStore(storage, BlobStore(storage), WAIT, timedelta(hours=1))


@pytest.fixture
def integration() -> str:
    return str(uuid4())


def operation(number: int, size: int = 10, **changes: object) -> Operation:
    member = Member(os.urandom(size), "file", number, NOW, **changes)  # type: ignore[arg-type]
    return Operation(OperationKey(f"c{number}", "o", "r"), (member,))


def view(now: datetime = NOW, run: str = "run", since: datetime | None = None) -> View:
    return View(run, now, since)


async def load(
    store: OperationStore, integration: str, keys: Iterable[OperationKey], seen: View | None = None
) -> dict[int, Loaded]:
    by_bucket: defaultdict[int, list[OperationKey]] = defaultdict(list)
    for key in keys:
        by_bucket[bucket_of(key.correlation)].append(key)
    return await store.load(integration, by_bucket, seen or view())


async def save(
    store: OperationStore,
    integration: str,
    loaded: dict[int, Loaded],
    kept: Sequence[Operation | WaitingRoom],
    seen: View | None = None,
) -> set[int]:
    changes: defaultdict[int, list[Novelty]] = defaultdict(list)
    for one in kept:
        changes[bucket_of(one.key.correlation if isinstance(one, Operation) else one.correlation)].append(one)
    return await store.save(integration, loaded, changes, seen or view())


async def keep(
    store: OperationStore,
    integration: str,
    kept: Sequence[Operation | WaitingRoom],
    seen: View | None = None,
) -> None:
    """Write these, beside what is there."""
    loaded = await store.load(integration, dict.fromkeys(range(BUCKETS), ()), seen or view())
    assert await save(store, integration, loaded, kept, seen) == set()


def operations(loaded: dict[int, Loaded]) -> dict[OperationKey, Operation]:
    return {key: one for bucket in loaded.values() for key, one in bucket.known.operations.items()}


def rooms(loaded: dict[int, Loaded]) -> dict[str, WaitingRoom]:
    return {key: one for bucket in loaded.values() for key, one in bucket.known.rooms.items()}


async def parked_blobs(storage: Storage, integration: str) -> list[str]:
    container = await storage.container(ContainerName.PARKED)
    return [blob.name async for blob in container.list_blobs(name_starts_with=integration)]


async def test_what_was_kept_is_read_back_as_it_was(store: OperationStore, integration: str) -> None:
    kept = [operation(number) for number in range(120)]
    odd = Operation(OperationKey("\ud800", "\u0130/#?\\", "x" * 5_000), kept[0].members)

    await keep(store, integration, [*kept, odd])
    loaded = await load(store, integration, [one.key for one in [*kept, odd, operation(500)]])

    assert operations(loaded) == {one.key: one for one in [*kept, odd]}
    assert rooms(loaded) == {}


async def test_integrations_do_not_see_each_others_operations(
    store: OperationStore, integration: str
) -> None:
    await keep(store, integration, [operation(1)])
    assert operations(await load(store, str(uuid4()), [operation(1).key])) == {}


async def test_only_what_was_asked_for_is_known(store: OperationStore, integration: str) -> None:
    await keep(store, integration, [operation(number) for number in range(40)])
    assert set(operations(await load(store, integration, [operation(7).key]))) == {operation(7).key}


async def test_an_incomplete_key_reads_all_operations_of_its_correlation_id(
    store: OperationStore, integration: str
) -> None:
    several = [Operation(OperationKey("c", name, "r"), operation(1).members) for name in "abc"]
    await keep(store, integration, [*several, operation(2)])
    loaded = await load(store, integration, [OperationKey("c", "", "r")])
    assert set(operations(loaded)) == {one.key for one in several}


async def test_a_waiting_room_brings_all_operations_of_its_correlation_id_along(
    store: OperationStore, integration: str
) -> None:
    several = [Operation(OperationKey("c", name, "r"), operation(1).members) for name in "abc"]
    room = WaitingRoom("c", operation(3).members)
    await keep(store, integration, [*several, room])
    loaded = await load(store, integration, [several[0].key])
    assert set(operations(loaded)) == {one.key for one in several}
    assert rooms(loaded) == {"c": room}


async def test_of_two_writers_the_second_is_told(store: OperationStore, integration: str) -> None:
    one = operation(1)
    nothing = await load(store, integration, [one.key])
    assert await save(store, integration, nothing, [one]) == set()
    assert await save(store, integration, nothing, [one]) == {bucket_of("c1")}
    loaded = await load(store, integration, [one.key])
    assert await save(store, integration, loaded, [operation(1)]) == set()
    assert await save(store, integration, loaded, [operation(1)]) == {bucket_of("c1")}


async def test_what_waits_and_is_too_large_for_a_row_goes_to_a_blob_and_back(
    store: OperationStore, storage: Storage, integration: str
) -> None:
    large = operation(1, 3_000_000)
    await keep(store, integration, [large])
    assert operations(await load(store, integration, [large.key])) == {large.key: large}
    assert len(await parked_blobs(storage, integration)) == 1

    await keep(store, integration, [operation(1)])

    assert await parked_blobs(storage, integration) == []


async def test_rows_of_several_pieces_are_written_and_read(store: OperationStore, integration: str) -> None:
    kept = [operation(number, 150_000) for number in range(9)]
    await keep(store, integration, kept)
    assert operations(await load(store, integration, [one.key for one in kept])) == {
        one.key: one for one in kept
    }


def left(number: int, size: int = 10, name: str = "o") -> Operation:
    """Of a correlation ID that is the same for all."""
    member = Member(os.urandom(size), "file", number, NOW, "earlier", 1)
    return Operation(OperationKey("c", f"{name}{number}", "r"), (member,))


async def test_the_oldest_of_what_left_moves_to_archives_and_is_found_there(
    store: OperationStore, storage: Storage, integration: str
) -> None:
    kept = [left(number, 100_000) for number in range(14)]
    for minute, one in enumerate(kept):
        await keep(store, integration, [one], view(NOW + timedelta(minutes=minute), f"run{minute}"))
    assert len(await parked_blobs(storage, integration)) >= 2
    (bucket,) = (await load(store, integration, [kept[-1].key])).values()
    assert any(archive.packed for archive in bucket.bucket.archives)

    assert operations(await load(store, integration, [one.key for one in kept])) == {
        one.key: one for one in kept
    }
    whole = await load(store, integration, [OperationKey("c", "", "")])
    assert operations(whole) == {one.key: one for one in kept}
    assert operations(await load(store, integration, [operation(1).key])) == {}


async def test_what_came_back_from_an_archive_counts_more_than_the_archive(
    store: OperationStore, integration: str
) -> None:
    kept = [left(number, 100_000) for number in range(8)]
    for one in kept:
        await keep(store, integration, [one])
    revised = Operation(kept[0].key, (*kept[0].members, *left(0, 10).members))
    await keep(store, integration, [revised])
    assert operations(await load(store, integration, [revised.key])) == {revised.key: revised}


async def test_a_run_that_was_cut_off_finds_in_archives_what_left_in_it(
    store: OperationStore, integration: str
) -> None:
    kept = [left(number, 100_000) for number in range(8)]
    for one in kept:
        await keep(store, integration, [one])
    loaded = await load(store, integration, [OperationKey("c", "x", "y")], view(run="earlier", since=NOW))
    assert operations(loaded) == {one.key: one for one in kept}


async def test_what_late_entries_do_not_find_any_more_is_found_by_the_run_in_which_it_left(
    storage: Storage, integration: str
) -> None:
    store = OperationStore(
        storage, BlobStore(storage), WAIT, timedelta(hours=1), roomy=10, large=10, remembered=0
    )
    kept = [left(number) for number in range(20)]
    for one in kept:
        await keep(store, integration, [one], view(run=f"after {one.key.operation}"))
    found = operations(await load(store, integration, [one.key for one in kept]))
    assert 0 < len(found) < len(kept)
    again = await load(store, integration, [OperationKey("c", "x", "y")], view(run="earlier", since=NOW))
    assert operations(again) == {one.key: one for one in kept}


def many(numbers: Iterable[int]) -> dict[int, list[Novelty]]:
    """Operations that left as soon as they came, by bucket."""
    by_bucket: defaultdict[int, list[OperationKey]] = defaultdict(list)
    for number in numbers:
        by_bucket[bucket_of(f"c{number}")].append(OperationKey(f"c{number}", "o", "r"))
    return {
        bucket: [
            Finished(
                run="run",
                now=NOW,
                ids=b"".join(id_of(key) for key in keys),
                keys=[SEPARATOR.join(key).encode() for key in keys],
                counts=[1] * len(keys),
                numbers=[0] * len(keys),
                sizes=[1] * len(keys),
                texts=b"x" * len(keys),
            )
        ]
        for bucket, keys in by_bucket.items()
    }


async def keep_many(
    storage: Storage, integration: str, numbers: Iterable[int], seen: View, **limits: int
) -> OperationStore:
    """A store that has such operations, and has to put much of them into blobs."""
    store = OperationStore(storage, BlobStore(storage), WAIT, timedelta(hours=1), **limits)
    changes = many(numbers)
    loaded = await store.load(integration, dict.fromkeys(changes, ()), seen)
    assert await store.save(integration, loaded, changes, seen) == set()
    return store


async def test_much_that_left_at_once_lies_in_one_blob_for_all_buckets(
    storage: Storage, integration: str
) -> None:
    store = await keep_many(storage, integration, range(40), view(), large=40)
    assert len(await parked_blobs(storage, integration)) == 1
    keys = [operation(number).key for number in range(40)]
    for reader in (store, OperationStore(storage, BlobStore(storage), WAIT, timedelta(hours=1))):
        found = operations(await load(reader, integration, keys))
        assert found == {key: Operation(key, (Member(b"x", "run", 0, NOW, "run", 1),)) for key in keys}
    everything = dict.fromkeys(range(BUCKETS), ())
    again = await store.load(integration, everything, view(since=NOW))
    assert [len(one.known.operations) for one in again.values()] == [
        sum(bucket_of(key.correlation) == number for key in keys) for number in range(BUCKETS)
    ]


async def test_a_little_that_left_at_once_lies_in_the_rows(storage: Storage, integration: str) -> None:
    store = await keep_many(storage, integration, range(40), view(), large=41)
    assert await parked_blobs(storage, integration) == []
    keys = [operation(number).key for number in range(40)]
    assert set(operations(await load(store, integration, keys))) == set(keys)


async def test_what_is_too_much_for_all_rows_goes_to_one_blob(storage: Storage, integration: str) -> None:
    store = await keep_many(storage, integration, range(40), view(), roomy=10)
    await keep_many(storage, integration, range(40, 80), view(run="other"), roomy=10)
    assert len(await parked_blobs(storage, integration)) == 2
    keys = [operation(number).key for number in range(80)]
    assert set(operations(await load(store, integration, keys))) == set(keys)


async def test_a_blob_of_several_buckets_goes_with_the_bucket_that_it_lies_with(
    storage: Storage, integration: str
) -> None:
    store = await keep_many(storage, integration, range(40), view(), large=1)
    (blob,) = await parked_blobs(storage, integration)
    owner = int(blob.split("/")[1])
    over = view(NOW + timedelta(minutes=61), "later")
    for number in sorted(range(BUCKETS), key=lambda number: number == owner):
        assert await parked_blobs(storage, integration) == [blob]
        loaded = await store.load(integration, {number: ()}, over)
        assert await store.save(integration, loaded, {number: ()}, over) == set()
    assert await parked_blobs(storage, integration) == []


async def test_what_lay_with_a_bucket_that_forgot_it_is_forgotten(storage: Storage, integration: str) -> None:
    await keep_many(storage, integration, range(40), view(), large=1)
    (blob,) = await parked_blobs(storage, integration)
    await BlobStore(storage).delete(ContainerName.PARKED, blob)
    reader = OperationStore(storage, BlobStore(storage), WAIT, timedelta(hours=1))
    for number in range(40):
        asked = load(reader, integration, [operation(number).key])
        if bucket_of(f"c{number}") == int(blob.split("/")[1]):
            with pytest.raises(ConflictError):
                await asked
        else:
            assert operations(await asked) == {}


async def test_no_bucket_is_written_that_needs_a_blob_of_another_one_that_is_lost(
    storage: Storage, integration: str
) -> None:
    store = OperationStore(storage, BlobStore(storage), WAIT, timedelta(hours=1), large=1)
    loaded = await store.load(integration, dict.fromkeys(range(BUCKETS), ()), view())
    first = mark_of("run")[0] % BUCKETS
    in_the_first = next(number for number in range(40) if bucket_of(f"c{number}") == first)
    await keep(store, integration, [operation(in_the_first)], view(run="other"))
    changes = many(range(40))
    for bucket, number in {bucket_of(f"c{number}"): number for number in range(40, 80)}.items():
        # All of them are too much for one transaction.
        changes[bucket].append(operation(number, 300_000))

    assert await store.save(integration, loaded, changes, view()) == set(range(BUCKETS))

    assert await store.waiting(integration) == 1


async def test_a_run_that_loses_to_itself_leaves_the_blobs_of_the_winner_as_they_are(
    storage: Storage, integration: str
) -> None:
    store = await keep_many(storage, integration, range(40), view(), large=1)
    before = dict.fromkeys(range(BUCKETS), Loaded())
    lost = await store.save(integration, before, many(range(20)), view(NOW + timedelta(minutes=5)))
    assert lost == set(range(BUCKETS))
    reader = OperationStore(storage, BlobStore(storage), WAIT, timedelta(hours=1))
    keys = [operation(number).key for number in range(40)]
    assert set(operations(await load(reader, integration, keys))) == set(keys)


async def test_what_has_waited_long_enough_is_found_and_nothing_else(
    store: OperationStore, integration: str
) -> None:
    late = Operation(OperationKey("c1", "late", "r"), (Member(b"x", "f", 0, NOW + WAIT),))
    gone = operation(2, run="f", revision=1)
    await keep(store, integration, [operation(1), late, gone])
    before, after = NOW + WAIT - timedelta(microseconds=1), NOW + WAIT
    assert await store.needing_attention(integration, before) == []
    assert await store.needing_attention(integration, after) == [bucket_of("c1")]
    everything = dict.fromkeys(range(BUCKETS), ())
    assert operations(await store.load(integration, everything, view(before))) == {}
    assert set(operations(await store.load(integration, everything, view(after)))) == {operation(1).key}


async def test_how_much_waits_is_known(store: OperationStore, integration: str) -> None:
    assert await store.waiting(integration) == 0
    await keep(
        store, integration, [operation(1), operation(2), left(3), WaitingRoom("c4", operation(4).members)]
    )
    assert await store.waiting(integration) == 3


async def test_what_was_kept_long_enough_is_forgotten_with_its_blobs(
    store: OperationStore, storage: Storage, integration: str
) -> None:
    for number in range(8):
        await keep(store, integration, [left(number, 100_000)])
    over = NOW + timedelta(minutes=61)
    (number,) = await store.needing_attention(integration, over)
    loaded = await store.load(integration, {number: ()}, view(over))
    assert await store.save(integration, loaded, {number: ()}, view(over)) == set()
    assert await store.needing_attention(integration, over + timedelta(days=9)) == []
    assert await parked_blobs(storage, integration) != []
    await store.forget(integration, over, over)
    assert await parked_blobs(storage, integration) == []
    assert await store.needing_attention(integration, over + timedelta(days=99)) == []


async def test_what_is_written_beside_old_things_lets_them_be_forgotten(
    store: OperationStore, integration: str
) -> None:
    await keep(store, integration, [left(1)])
    await keep(store, integration, [left(2)], view(NOW + timedelta(minutes=61)))
    seen = view(NOW + timedelta(minutes=61), "another")
    assert set(operations(await load(store, integration, [OperationKey("c", "", "")], seen))) == {left(2).key}
