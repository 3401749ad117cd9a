"""Handing on: the condensed file, then its message; and what is set aside."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.capture.aside import Aside, aside_line
from shared.capture.condense import Record
from shared.capture.entries import Entry
from shared.capture.output import Contents, compressed, contents_of, folder_of, lines_of, message
from shared.capture.ports import Owner
from shared.store.blobs import BlobStore, ContainerName
from shared.store.storage import Storage

CONDENSED_QUEUE = "condensed-ready"
"""Queue on which condensed files are announced."""


@dataclass(frozen=True, slots=True)
class HandedOn:
    """A condensed file that was written and announced.

    Attributes:
        blob: its name in the container `condensed`; empty if there was nothing to write.
        contents: what stands in it.
    """

    blob: str
    contents: Contents


class HandOff:
    """Writes what leaves. Doing it twice writes the same bytes to the same place."""

    def __init__(self, storage: Storage, blobs: BlobStore) -> None:
        self._storage = storage
        self._blobs = blobs

    async def condensed(
        self,
        owner: Owner,
        run: str,
        moment: datetime,
        source: str,
        left: tuple[Sequence[Entry], Sequence[Record]],
    ) -> HandedOn:
        """Write one file of everything that leaves in a run, then announce it on the queue.

        Args:
            owner: whose entries they are.
            run: ID of the capture file or flush; names the file.
            moment: of the capture file or flush; says in which folder the file stands.
            source: the capture file's path, or the flush's ID.
            left: entries that pass through, and condensed records.
        """
        passed, records = left
        contents = contents_of(passed, records)
        if not passed and not records:
            return HandedOn("", contents)
        blob = f"{folder_of(owner.customer, moment)}/{run}.ndjson.gz"
        data = await asyncio.to_thread(compressed, lines_of(passed, records))
        await self._blobs.write(ContainerName.CONDENSED, blob, data, "application/gzip")
        text = message(
            integration=owner.integration_id,
            customer=owner.customer,
            blob=blob,
            source=source,
            contents=contents,
        )
        queue = await self._storage.queue(CONDENSED_QUEUE)
        await queue.send_message(text)
        return HandedOn(blob, contents)

    async def aside(self, folder: str, run: str, moment: datetime, asides: Sequence[Aside]) -> str:
        """Keep what could not be read: a list, and beside it a copy of a whole file. Gives the list's name.

        Args:
            folder: the customer's slug, or another first part of the name.
            run: ID of the capture file.
            moment: of the capture file.
            asides: at least one.
        """
        stem = f"{folder}/{moment:%Y/%m/%d}/{run}"
        lines = []
        for aside in asides:
            copy = f"{stem}.avro" if aside.whole_file else None
            if copy is not None:
                await self._blobs.write(ContainerName.SET_ASIDE, copy, aside.raw, "application/octet-stream")
            lines.append(aside_line(aside, copy) + b"\n")
        name = f"{stem}.ndjson"
        await self._blobs.write(ContainerName.SET_ASIDE, name, b"".join(lines), "application/x-ndjson")
        return name
