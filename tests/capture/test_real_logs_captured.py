"""Real logs as Capture would have written them, through the whole step: alone, and all mixed together."""

import asyncio
import gzip
import json
from collections import Counter
from itertools import batched
from pathlib import Path
from random import Random

import pytest

from local.condense.files import entries_of_file
from shared.capture.entries import Entry
from shared.store.blobs import ContainerName
from tests.capture.activity_log import capture_file, exact, members
from tests.capture.app import App

FOLDERS = ("activity", "entra", "defender", "resource", "capture")
_CONDENSED = "azure_activity_administrative_condensed"
_FILES, _PARTITIONS = 12, 4


def entries_in(samples: Path) -> dict[Path, list[bytes]]:
    """The entries of every file of samples, in export shape, none twice."""
    found = {}
    for folder in FOLDERS:
        for path in sorted(one for one in (samples / folder).rglob("*") if one.is_file()):
            if path.suffix not in (".tsv", ".md"):
                read = entries_of_file(path.read_bytes(), str(path))
                found[path] = list(dict.fromkeys(one.raw for one in read if isinstance(one, Entry)))
    return found


def captured(entries: list[bytes], codec: str = "null") -> bytes:
    """A capture file of these entries, several to an event."""
    return capture_file(
        (b'{"records":[%s]}' % b",".join(some) for some in batched(entries, 7, strict=False)), codec
    )


async def what_left(app: App) -> Counter[str]:
    """Everything that stands in condensed files, records taken apart; of each that of the last revision."""
    container = await app.storage.container(ContainerName.CONDENSED)
    left: Counter[str] = Counter()
    latest: dict[str, tuple[int, Counter[str]]] = {}
    async for blob in container.list_blobs(name_starts_with=f"{app.customer}/"):
        data = gzip.decompress(await app.blobs.read(ContainerName.CONDENSED, blob.name))
        for line in data.splitlines():
            about = json.loads(line).get(_CONDENSED)
            if about is None:
                left[exact(line)] += 1
            elif about["revision"] > latest.get(about["uid"], (0,))[0]:
                latest[about["uid"]] = (about["revision"], members(line))
    return sum((found for _, found in latest.values()), left)


async def assert_all_left(app: App, entries: list[bytes]) -> None:
    """Let everything leave; all entries must have, once each, and the ledger must say so."""
    app.now += app.wait
    await app.flusher.flush()
    totals = await app.captures.totals(app.integration)
    totals.check()
    assert (totals.entries, totals.still_parked, totals.set_aside) == (len(entries), 0, 0)
    assert await what_left(app) == Counter(map(exact, entries))
    assert app.problems.reported == []


@pytest.mark.parametrize("folder", FOLDERS)
async def test_real_logs_of_one_kind_leave_file_by_file(app: App, samples: Path, folder: str) -> None:
    for path, entries in entries_in(samples).items():
        if path.relative_to(samples).parts[0] == folder and entries:
            alone = App(app.storage)
            await alone.handle(await alone.upload(captured(entries)))
            await assert_all_left(alone, entries)


async def test_real_logs_of_all_kinds_leave_however_they_are_mixed(app: App, samples: Path) -> None:
    found = entries_in(samples)
    assert {path.relative_to(samples).parts[0] for path, some in found.items() if some} == set(FOLDERS)
    entries = list(dict.fromkeys(one for some in found.values() for one in some))
    random = Random(8)  # noqa: S311 - an order, not a secret
    random.shuffle(entries)
    files = [
        await app.upload(
            captured(entries[number::_FILES], random.choice(("null", "deflate"))),
            partition=number % _PARTITIONS,
        )
        for number in range(_FILES)
    ]
    for some in batched(files, _PARTITIONS, strict=True):
        await asyncio.gather(*map(app.handle, some))
    await assert_all_left(app, entries)
