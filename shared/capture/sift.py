"""Sorting what came out of a file: to be combined, to be handed on, repeated, or unreadable."""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b

from shared.capture.aside import Aside
from shared.capture.entries import Entry
from shared.model.captures import Counts

_DIGEST_SIZE = 16


@dataclass(frozen=True, slots=True)
class Sifted:
    """What came out of a file.

    Attributes:
        administrative: entries to be combined with others.
        passed: entries to be handed on as they came.
        asides: what could not be read.
        counts: of all but the administrative ones.
    """

    administrative: tuple[Entry, ...]
    passed: tuple[Entry, ...]
    asides: tuple[Aside, ...]
    counts: Counts


def sift(found: Iterable[Entry | Aside]) -> Sifted:
    """Sort the entries of one run; of those handed on, what is equal byte for byte stays once.

    Of the others duplicates are found when they are combined, since they have the same key.
    """
    administrative: list[Entry] = []
    passed: list[Entry] = []
    asides: list[Aside] = []
    duplicates = unmatched = 0
    seen: set[bytes] = set()
    for item in found:
        if isinstance(item, Aside):
            asides.append(item)
            continue
        if item.administrative and item.key.correlation:
            administrative.append(item)
            continue
        digest = blake2b(item.raw, digest_size=_DIGEST_SIZE).digest()
        if digest in seen:
            duplicates += 1
            continue
        seen.add(digest)
        unmatched += item.administrative
        passed.append(item)
    counts = Counts(
        entries=len(passed) + duplicates + len(asides),
        passed_through=len(passed),
        duplicates=duplicates,
        set_aside=len(asides),
        unmatched=unmatched,
    )
    return Sifted(tuple(administrative), tuple(passed), tuple(asides), counts)
