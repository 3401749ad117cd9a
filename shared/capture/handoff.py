"""Handing on: the condensed file, then its message; and what is set aside."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.capture.aside import Aside, aside_line
from shared.capture.batch import NOTHING, Batch
from shared.capture.condense import Record
from shared.capture.entries import Entry
from shared.capture.output import (
    Compression,
    Contents,
    Packer,
    Tally,
    lines_of,
    message,
)
from shared.capture.ports import Owner
from shared.model.blob_names import condensed_name, copy_name
from shared.store.blobs import BlobStore, BlobWriter, ContainerName
from shared.store.storage import Storage

CONDENSED_QUEUE = "condensed-ready"
"""Queue on which condensed files are announced."""

_FOR_EVER = -1
"""A message that nobody reads is gone after a week otherwise (learn.microsoft.com/rest/api/storageservices/
put-message). Whoever was away for longer would never hear of the file."""

_AVRO = "application/octet-stream"


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
    """Writes what leaves. Doing it twice writes the same bytes to the same place.

    Args:
        storage: of the app.
        blobs: where files are written.
        compression: of condensed files.

    Attributes:
        compression: the same.
    """

    def __init__(
        self, storage: Storage, blobs: BlobStore, compression: Compression = Compression.GZIP
    ) -> None:
        self._storage = storage
        self._blobs = blobs
        self.compression = compression

    def begin(
        self, owner: Owner, run: str, moment: datetime, source: str, compression: str = ""
    ) -> "CondensedFile":
        """One file of everything that leaves in a run.

        Args:
            owner: whose entries they are.
            run: ID of the capture file or flush; names the file.
            moment: of the capture file or flush; says in which folder the file stands.
            source: the capture file's path, or the flush's ID.
            compression: as whoever began the run compressed it, if that is known; it shows in the name.
        """
        chosen = Compression(compression or self.compression)
        blob = condensed_name(owner.customer, moment, run, chosen.ending)
        return CondensedFile(self._storage, self._blobs, chosen, (owner, blob, source))

    async def is_taken(
        self,
        owner: Owner,
        run: str,
        moment: datetime,
        left: tuple[Sequence[Entry], Sequence[Record]],
        *,
        compression: str = "",
    ) -> bool:
        """Whether a file of that name is there already that holds something else."""
        begins = condensed_name(owner.customer, moment, run)
        there = await self._blobs.first(ContainerName.CONDENSED, begins)
        packer = Packer(Compression(compression or self.compression))
        ours = packer.add(lines_of(*left)) + packer.end()
        return bool(there) and await self._blobs.read(ContainerName.CONDENSED, there) != ours

    async def condensed(
        self,
        owner: Owner,
        run: str,
        moment: datetime,
        source: str,
        left: tuple[Sequence[Entry], Sequence[Record]],
        *,
        compression: str = "",
    ) -> HandedOn:
        """Write such a file at once: entries that pass through, and condensed records."""
        file = self.begin(owner, run, moment, source, compression)
        await file.add(*left)
        return await file.close()

    def begin_aside(self, folder: str, run: str, moment: datetime) -> "AsideFile":
        """A list of what could not be read in a capture file.

        Args:
            folder: the customer's slug, or another first part of the name.
            run: ID of the capture file.
            moment: of the capture file.
        """
        return AsideFile(self._blobs, f"{folder}/{moment:%Y/%m/%d}/{run}.ndjson")


class CondensedFile:
    """A condensed file that is being written.

    Args:
        storage: of the app.
        blobs: where it is written.
        compression: how it is compressed.
        about: whose entries they are, its name, and where they came from.
    """

    def __init__(
        self, storage: Storage, blobs: BlobStore, compression: Compression, about: tuple[Owner, str, str]
    ) -> None:
        self._storage = storage
        self._blobs = blobs
        self._compression = compression
        self._owner, self._blob, self._source = about
        self._packer = Packer(compression)
        self._tally = Tally()
        self._writer: BlobWriter | None = None

    async def add(self, passed: Sequence[Entry], records: Sequence[Record], whole: Batch = NOTHING) -> None:
        """Write more of what leaves; of whole operations all that is needed is copied before this is done."""
        if not passed and not records and not whole:
            return
        packed = await asyncio.to_thread(self._packed, passed, records, whole)
        if self._writer is None:
            self._writer = await self._blobs.writer(
                ContainerName.CONDENSED, self._blob, self._compression.content_type
            )
        await self._writer.add(packed)

    def _packed(self, passed: Sequence[Entry], records: Sequence[Record], whole: Batch) -> bytes:
        self._tally.add(passed, records, whole)
        return self._packer.add(lines_of(passed, records, whole))

    async def close(self) -> HandedOn:
        """End the file, then announce it on the queue. If nothing left, there is neither."""
        contents = self._tally.contents
        if self._writer is None:
            return HandedOn("", contents)
        await self._writer.add(self._packer.end())
        await self._writer.close()
        text = message(
            integration=self._owner.integration_id,
            customer=self._owner.customer,
            blob=self._blob,
            source=self._source,
            contents=contents,
        )
        queue = await self._storage.queue(CONDENSED_QUEUE)
        await queue.send_message(text, time_to_live=_FOR_EVER)
        return HandedOn(self._blob, contents)


class AsideFile:
    """A list of what could not be read that is being written, and beside it a copy of a whole file.

    Args:
        blobs: where it is written.
        name: its name.
    """

    def __init__(self, blobs: BlobStore, name: str) -> None:
        self._blobs = blobs
        self._name = name
        self._writer: BlobWriter | None = None

    async def add(self, asides: Sequence[Aside], container: str) -> None:
        """Write more of it; a whole file is copied from the container in which it stands."""
        if not asides:
            return
        if self._writer is None:
            self._writer = await self._blobs.writer(
                ContainerName.SET_ASIDE, self._name, "application/x-ndjson"
            )
        for aside in asides:
            copy = copy_name(self._name) if aside.whole_file else None
            if copy is not None:
                await self._blobs.copy(
                    (container, aside.position.file), (ContainerName.SET_ASIDE, copy), _AVRO
                )
            await self._writer.add(aside_line(aside, copy) + b"\n")

    async def close(self) -> str:
        """End the list; gives its name, which is empty if there was nothing to be written."""
        if self._writer is None:
            return ""
        await self._writer.close()
        return self._name
