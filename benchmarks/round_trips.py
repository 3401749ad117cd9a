"""What correlation across files costs in storage requests.

Four partitions, and three quarters of all operations have their entries in several files.
The real handler works on a real Azurite. Requests are counted on the wire, and only while files are handled;
making containers, tables and the queue is not counted.
"""

import asyncio
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from benchmarks.capture_app import CaptureApp, NoCredential
from benchmarks.capture_files import SEED
from benchmarks.counting_proxy import CountingProxy
from benchmarks.partitions import PARTITIONS, SPLIT_SHARE, Spread, spread
from benchmarks.report import Options, Row, at_most
from local.azurite import Azurite
from shared.model.captures import Counts
from shared.settings import StorageSettings
from shared.store.storage import Storage

KEY = "correlation.round_trips_per_1000"

_WINDOWS = 3
_ENTRIES = 12_000
_WARM_UP = 40


class WrongCountsError(Exception):
    """The handler did not account for every entry."""


def measure(options: Options) -> Iterator[Row]:
    """Partitions handled at the same moment, as in the cloud; and in turn, to see what races cost."""
    entries = 400 if options.quick else _ENTRIES
    files = spread(_WINDOWS, entries, SEED)
    share = files.split / files.operations
    options.say(f"{files.entries:,} entries of {files.operations:,} operations, {share:.0%} of them split")
    if abs(share - SPLIT_SHARE) > 0.1:  # noqa: PLR2004 - chance may have its part
        raise WrongCountsError(f"{share:.0%} of operations are split")
    with tempfile.TemporaryDirectory() as logs, Azurite(Path(logs)) as azurite:
        at_once = asyncio.run(_requests(azurite, files, options, at_once=True))
        in_turn = asyncio.run(_requests(azurite, files, options, at_once=False))
    size = f"{_WINDOWS * PARTITIONS} files of {files.entries / _WINDOWS / PARTITIONS:,.0f} entries"
    what = "storage round trips per 1,000 entries"
    yield Row(f"{what}, partitions at once, {size}", at_once, 1, at_most(30.0), KEY)
    yield Row(f"{what}, one file after the other", in_turn, 1)


async def _requests(azurite: Azurite, files: Spread, options: Options, *, at_once: bool) -> float:
    """Requests per 1,000 entries."""
    async with CountingProxy(azurite) as proxy:
        settings = StorageSettings(proxy.connection_string, "", "", "")
        async with Storage(settings, NoCredential()) as storage:
            await _warm_up(CaptureApp(storage))
            app = CaptureApp(storage)
            counts, requests = Counts(), Counter[str]()
            for window, data in enumerate(files.windows):
                paths = [await app.upload(one, window, partition) for partition, one in enumerate(data)]
                proxy.counts.clear()
                if at_once:
                    done = await asyncio.gather(*map(app.handle, paths))
                else:
                    done = [await app.handle(path) for path in paths]
                requests += proxy.counts
                counts = sum(done, counts)
                options.say(f"  window {window + 1} of {_WINDOWS}: {proxy.counts.total():,} requests")
    counts.check()
    if counts.entries != files.entries or counts.set_aside:
        raise WrongCountsError(f"{files.entries} entries became {counts}")
    options.say(f"  {', '.join(f'{number:,} {kind}' for kind, number in requests.most_common())}")
    return requests.total() / files.entries * 1_000


async def _warm_up(app: CaptureApp) -> None:
    """Let containers, tables and the queue be made."""
    for window, data in enumerate(spread(1, _WARM_UP, SEED + 1).windows):
        for partition, one in enumerate(data):
            await app.handle(await app.upload(one, window, partition))
