"""Tables in a real Azurite: ETags make the second writer lose, batches stay within the service's limit."""

from datetime import UTC, datetime, timedelta

import pytest
from azure.data.tables.aio import TableClient

from shared.store.storage import Storage
from shared.store.tables import (
    BATCH,
    ConflictError,
    Row,
    TableName,
    commit,
    find,
    insert,
    moment_of,
    overwrite,
    query,
    remove,
    replace,
    text_of,
    write,
)


@pytest.fixture
async def table(storage: Storage) -> TableClient:
    return await storage.table(TableName.LISTINGS)


def _row(number: int = 1, value: str = "first") -> Row:
    return {"PartitionKey": "p", "RowKey": f"{number:04d}", "value": value}


async def _read(table: TableClient, number: int = 1) -> Row:
    row = await find(table, "p", f"{number:04d}")
    assert row is not None
    return row


async def _count(table: TableClient) -> int:
    return len([row async for row in query(table, "PartitionKey eq @p", p="p")])


async def test_a_row_that_is_not_there_is_none(table: TableClient) -> None:
    assert await find(table, "p", "nowhere") is None


async def test_a_row_reads_back_with_its_etag(table: TableClient) -> None:
    await commit(table, [insert(_row())])
    row = await _read(table)
    assert row["value"] == "first"
    assert row["_etag"]


async def test_what_is_there_cannot_be_inserted(table: TableClient) -> None:
    await commit(table, [insert(_row())])
    with pytest.raises(ConflictError):
        await commit(table, [insert(_row(value="second"))])
    assert (await _read(table))["value"] == "first"


async def test_of_two_writers_the_second_loses(table: TableClient) -> None:
    await commit(table, [insert(_row())])
    etag = (await _read(table))["_etag"]
    await commit(table, [replace(_row(value="second"), etag)])
    with pytest.raises(ConflictError):
        await commit(table, [replace(_row(value="third"), etag)])
    assert (await _read(table))["value"] == "second"


async def test_what_is_gone_cannot_be_replaced(table: TableClient) -> None:
    await commit(table, [insert(_row())])
    etag = (await _read(table))["_etag"]
    await commit(table, [remove(_row(), etag)])
    with pytest.raises(ConflictError):
        await commit(table, [replace(_row(value="second"), etag)])


async def test_what_somebody_changed_cannot_be_removed(table: TableClient) -> None:
    await commit(table, [insert(_row())])
    etag = (await _read(table))["_etag"]
    await commit(table, [overwrite(_row(value="second"))])
    with pytest.raises(ConflictError):
        await commit(table, [remove(_row(), etag)])
    assert (await _read(table))["value"] == "second"


async def test_a_write_without_an_etag_is_an_insert(table: TableClient) -> None:
    await commit(table, [write(_row(), "")])
    with pytest.raises(ConflictError):
        await commit(table, [write(_row(value="second"), "")])
    await commit(table, [write(_row(value="third"), (await _read(table))["_etag"])])
    assert (await _read(table))["value"] == "third"


async def test_a_replaced_row_keeps_no_old_columns(table: TableClient) -> None:
    await commit(table, [insert({**_row(), "old": 1})])
    await commit(table, [overwrite(_row())])
    assert "old" not in await _read(table)


@pytest.mark.parametrize("count", [0, 1, BATCH, BATCH + 1, 2 * BATCH + 50])
async def test_any_number_of_changes_can_be_committed(table: TableClient, count: int) -> None:
    await commit(table, (insert(_row(number)) for number in range(count)))
    assert await _count(table) == count


@pytest.mark.parametrize("taken", [0, 57, BATCH, BATCH + 57])
async def test_a_conflict_says_which_change_met_it(table: TableClient, taken: int) -> None:
    await commit(table, [insert(_row(taken))])
    with pytest.raises(ConflictError) as raised:
        await commit(table, [insert(_row(number)) for number in range(2 * BATCH)])
    assert raised.value.index == taken
    assert await _count(table) == (taken // BATCH) * BATCH + 1, (
        "each transaction is written whole or not at all"
    )


async def test_a_query_takes_its_values_as_they_are(table: TableClient) -> None:
    awkward = "O'Hara eq '' or 1 eq 1"
    await commit(table, [insert(_row(1, awkward)), insert(_row(2))])
    found = [row["RowKey"] async for row in query(table, "value eq @value", value=awkward)]
    assert found == ["0001"]


async def test_a_query_goes_over_all_pages(table: TableClient) -> None:
    # The service gives at most a thousand rows at once.
    await commit(table, (insert(_row(number)) for number in range(1100)))
    assert await _count(table) == 1100


@pytest.mark.parametrize(
    "moment",
    [
        None,
        datetime(2026, 11, 21, 12, 0, tzinfo=UTC),
        datetime(2026, 11, 21, 12, 0, 0, 1, tzinfo=UTC),
        datetime(2026, 11, 21, 12, 0, 0, 999_999, tzinfo=UTC),
    ],
)
def test_a_moment_comes_back_as_it_was_stored(moment: datetime | None) -> None:
    assert moment_of(text_of(moment)) == moment


def test_moments_sort_as_text_from_second_to_second() -> None:
    start = datetime(2026, 11, 21, 23, 59, 58, 500_000, tzinfo=UTC)
    texts = [text_of(start + timedelta(seconds=number)) for number in range(5)]
    assert texts == sorted(texts)
