"""Archives: what left and is kept together, so that late entries can revise it.

What leaves in a run is packed once and stays as it is, since nothing is asked of most of it again. An archive
lies in its bucket's row at first. When there are many they move to a blob, which is read only when an entry
of one of their operations arrives; what is much from the beginning goes there at once.

An operation that is revised leaves its old state behind: what lies in a younger archive counts.

Late entries find an operation for a time; its marks are there for as long. Beyond that an archive stays if
something in it had waited, until nobody is left who may have taken that along: see `staying`.

A blob holds archives of one bucket or of several: in MessagePack the packed contents, the oldest first, by
the number of the bucket.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import accumulate
from typing import Final

import msgspec

from shared.model.ids import SEPARATOR
from shared.model.operations import Member, Operation, OperationKey, WaitingRoom
from shared.store.kept import Kept, compressed, decompressed, mark_of, unpack

MAX_REMEMBERED: Final = 128 * 1024
"""Bytes that a bucket may spend on the marks of its archives, six for each operation; beyond them late
entries do not find any more what the oldest hold, see `remembered`."""

_SMALL: Final = 32 * 1024
"""Packed bytes up to which an archive takes in the next, so that those of little are few."""

_MONTH: Final = 30 * 24 * 3600 * 1_000_000
"""Microseconds for which what had waited is kept beyond its time, if nobody says before that no run is under
way that may have taken it along. Capture files are kept as long."""

_HALF: Final = 3
_MARK: Final = 2 * _HALF
_ID: Final = 16

type Wants = Callable[[bytes, bytes, Iterable[bytes]], bool]
"""Tells whether an operation is wanted: by its ID, and the marks of its correlation ID and of its runs."""


class Archive(msgspec.Struct, array_like=True, frozen=True):
    """What is known of an archive without unpacking it.

    Attributes:
        expires: when the last of its operations may be forgotten, or of those that lie in the same blob, in
            microseconds since 1970.
        marks: of its operations, one after the other: half a mark of the correlation ID, and as much of what
            names the operation.
        blob: where it lies; empty if it lies here.
        packed: what it holds, if it lies here.
        waited: when something last left that had waited before, and that it may hold, or another one in the
            same blob; in the same unit, 0 if all left as soon as it came.
    """

    expires: int
    marks: bytes
    blob: str = ""
    packed: bytes = b""
    waited: int = 0

    @property
    def gone_at(self) -> int:
        """When it may go whatever runs are under way, in microseconds since 1970."""
        return self.expires + (_MONTH if self.waited else 0)

    def may_hold(self, single: Collection[bytes], whole: Collection[bytes]) -> bool:
        """Whether operations of these marks may be in it, or any with marks that begin like those."""
        marks = [self.marks[at : at + _MARK] for at in range(0, len(self.marks), _MARK)]
        if not set(marks).isdisjoint(single):
            return True
        return bool(whole) and not {mark[:_HALF] for mark in marks}.isdisjoint(whole)


class Finished(msgspec.Struct, array_like=True, frozen=True):
    """Operations that left in the run that was the first to see them.

    Attributes:
        run: its ID.
        now: when it was (UTC).
        ids: what names each operation, 16 bytes.
        keys: of each the key, its parts joined by `SEPARATOR`.
        counts: of each how many entries it has.
        numbers: of all their entries the place among those of the capture file.
        sizes: of each entry how many bytes it has.
        texts: all entries, one after the other.
        expires: when they may be forgotten, in microseconds since 1970.
    """

    run: str
    now: datetime
    ids: bytes
    keys: Sequence[bytes]
    counts: Sequence[int]
    numbers: Sequence[int]
    sizes: Sequence[int]
    texts: bytes
    expires: int = 0

    def marks(self) -> Iterator[bytes]:
        """Of all operations."""
        for name, correlation, _ in self._named():
            yield mark_in(name, correlation)

    def operations(self, wants: Wants) -> Iterator[tuple[bytes, Operation]]:
        """Those that are wanted, by their IDs."""
        run = (mark_of(self.run),)
        ends = [*accumulate(self.sizes, initial=0)]
        at = 0
        for (name, correlation, key), count in zip(self._named(), self.counts, strict=True):
            if wants(name, correlation, run):
                members = (
                    Member(
                        self.texts[ends[place] : ends[place + 1]],
                        self.run,
                        self.numbers[place],
                        self.now,
                        self.run,
                        1,
                    )
                    for place in range(at, at + count)
                )
                yield name, Operation(OperationKey(*key), tuple(members))
            at += count

    def _named(self) -> Iterator[tuple[bytes, bytes, list[str]]]:
        """Of each operation what names it, the mark of its correlation ID, and its key's parts."""
        for place, joined in enumerate(self.keys):
            key = joined.decode("utf-8", "surrogatepass").split(SEPARATOR)
            yield self.ids[_ID * place : _ID * (place + 1)], mark_of(key[0]), key


class _Content(msgspec.Struct, array_like=True, frozen=True):
    kept: tuple[Kept, ...]
    finished: tuple[Finished, ...]


_ENCODER = msgspec.msgpack.Encoder()
_CONTENTS = msgspec.msgpack.Decoder(_Content)
_BLOBS = msgspec.msgpack.Decoder(dict[int, list[bytes]])


def mark_in(name: bytes, correlation: bytes) -> bytes:
    """The mark of an operation, given what names it and the mark of its correlation ID."""
    return mark_in_whole(correlation) + name[:_HALF]


def mark_in_whole(correlation: bytes) -> bytes:
    """How the marks of all operations of a correlation ID begin."""
    return correlation[:_HALF]


def archive_of(kept: Collection[Kept], finished: Collection[Finished], now: int) -> Archive:
    """An archive of these, which lies here; in what is kept, nothing may wait."""
    marks = [mark_in(one.id, one.correlation) for one in kept]
    marks += (mark for some in finished for mark in some.marks())
    expires = max([*(one.expires for one in kept), *(some.expires for some in finished)])
    return _archive(_Content(tuple(kept), tuple(finished)), marks, expires, now if kept else 0)


def staying(archives: Iterable[Archive], now: int, held: int | None = None) -> list[Archive]:
    """The archives without those that may be forgotten.

    Late entries find nothing beyond its time. A run that took along what had waited may need it later, if it
    was cut off and the app was away then: no capture file would bring that along again.

    Args:
        archives: of a bucket.
        now: the present, in microseconds since 1970.
        held: if it is known, a moment before which nothing left in a run that is under way; in the same unit.
    """
    return [
        one if one.expires > now else msgspec.structs.replace(one, marks=b"")
        for one in archives
        if one.expires > now or (one.gone_at > now and (held is None or one.waited >= held))
    ]


def added(archives: Sequence[Archive], new: Archive, now: int) -> list[Archive]:
    """The archives with a new one, which goes into the youngest if that lies here and is small."""
    if not archives or archives[-1].expires <= now or not 0 < len(archives[-1].packed) <= _SMALL:
        return [*archives, new]
    last = archives[-1]
    older, younger = (_CONTENTS.decode(decompressed(one.packed)) for one in (last, new))
    expired = {one.id for one in older.kept if one.expires <= now}
    if not expired.isdisjoint(one.id for one in younger.kept):
        # It began anew, and would take the place of what a run that is under way may need.
        return [*archives, new]
    kept = {one.id: one for one in (*older.kept, *younger.kept)}
    finished = [some for some in (*older.finished, *younger.finished) if some.expires > now]
    marks = {one.marks[at : at + _MARK] for one in (last, new) for at in range(0, len(one.marks), _MARK)}
    content = _Content(tuple(kept.values()), tuple(finished))
    one = _archive(content, marks, max(last.expires, new.expires), max(last.waited, new.waited))
    return [*archives[:-1], one]


def oldest(archives: Sequence[Archive], least: int) -> list[int]:
    """Places of the oldest archives that lie here, which have so many packed bytes if there are as many."""
    places: list[int] = []
    size = 0
    for place, archive in enumerate(archives):
        if size >= least:
            break
        if archive.packed:
            places.append(place)
            size += len(archive.packed)
    return places


def moved(archives: Sequence[Archive], places: Collection[int], blob: Archive) -> list[Archive]:
    """The archives, of which those at these places lie in that blob now instead of here, as one.

    Nothing may move but what is the oldest here, or what was in no other archive. It takes the place of the
    last of the oldest: a blob between them came there at once, with what was in no other archive then.
    So what is older than that blob has nothing of it, while what is younger may have a later state.

    Args:
        archives: of a bucket.
        places: of those that move.
        blob: stands for all that lies in it, of whatever bucket; without marks.
    """
    others = {place: archive for place, archive in enumerate(archives) if place not in places}
    staying = min((place for place, archive in others.items() if archive.packed), default=len(archives))
    at = max((place for place in places if place < staying), default=min(places))
    one = msgspec.structs.replace(blob, marks=b"".join(archives[place].marks for place in places))
    return [archive for _, archive in sorted({**others, at: one}.items())]


def remembered(archives: Sequence[Archive], most: int) -> tuple[Archive, ...]:
    """The archives, with so many bytes of marks if it is enough for those that lie here and the youngest.

    Beyond that the oldest blobs go. One with something that had waited loses its marks only: late entries do
    not find it any more, while a run that was cut off still finds what left in it, which no capture file
    would bring along again.
    """
    excess = sum(len(one.marks) for one in archives) - most
    staying: list[Archive] = []
    for one in archives[:-1]:
        if excess <= 0 or not one.blob:
            staying.append(one)
            continue
        excess -= len(one.marks)
        if one.waited:
            staying.append(msgspec.structs.replace(one, marks=b""))
    return (*staying, *archives[-1:])


def found_in(packed: bytes, wants: Wants, now: int) -> Iterator[tuple[bytes, Operation | WaitingRoom]]:
    """What an archive holds of what is wanted, by ID, but for what may be forgotten.

    An old state may not outlive the one that took its place.
    """
    content = _CONTENTS.decode(decompressed(packed))
    for some in content.finished:
        if some.expires >= now:
            yield from some.operations(wants)
    for one in content.kept:
        if one.expires >= now and wants(one.id, one.correlation, one.runs):
            yield one.id, unpack(one)


def blob_of(contents: Mapping[int, Sequence[bytes]]) -> bytes:
    """A blob that holds archives, by number of the bucket."""
    return _ENCODER.encode(contents)


def contents_of(blob: bytes) -> dict[int, list[bytes]]:
    """The archives that a blob holds."""
    return _BLOBS.decode(blob)


def _archive(content: _Content, marks: Iterable[bytes], expires: int, waited: int) -> Archive:
    packed = compressed(_ENCODER.encode(content))
    return Archive(expires, b"".join(sorted(set(marks))), packed=packed, waited=waited)
