"""Which operation an entry belongs to that lacks the operation's name or its resource.

Such an entry joins the only operation of its correlationId that fits, that is, has the part which the
entry has. Several that fit cannot become one again, so it then passes through. With one it waits, since
another may come, and with none, since one may come. Entries with a name but no resource for which there
is none *form* an operation among themselves, which also takes in entries without a name; it counts as one
once the wait is over.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from shared.model.operations import OperationKey


class Fit(Enum):
    """What there is for an incomplete entry."""

    JOINS = "joins"
    FORMS = "forms"
    NONE = "none"
    SEVERAL = "several"


@dataclass(frozen=True, slots=True)
class Place:
    """Where an incomplete entry belongs.

    Attributes:
        fit: what there is for it.
        key: the operation it joins or forms.
    """

    fit: Fit
    key: OperationKey | None = None


def places(
    incomplete: Iterable[OperationKey], operations: Iterable[OperationKey]
) -> dict[OperationKey, Place]:
    """The place of each incomplete key of one correlation ID, given all its operations' keys."""
    established = frozenset(operations)
    by_name: defaultdict[str, list[OperationKey]] = defaultdict(list)
    for key in established:
        by_name[key.operation].append(key)
    wanted = set(incomplete)
    found = {key: _by_name(key, established, by_name[key.operation]) for key in wanted if key.operation}
    formed = {place.key for place in found.values() if place.fit is Fit.FORMS and place.key}
    by_resource: defaultdict[str, list[OperationKey]] = defaultdict(list)
    for key in established | formed:
        by_resource[key.resource].append(key)
    everything = list(established | formed)
    for key in wanted:
        if not key.operation:
            candidates = by_resource[key.resource] if key.resource else everything
            found[key] = _only(candidates, formed)
    return found


def _by_name(key: OperationKey, established: frozenset[OperationKey], named: list[OperationKey]) -> Place:
    if key in established:
        return Place(Fit.JOINS, key)
    if not named:
        return Place(Fit.FORMS, key)
    return _only(named, set())


def _only(candidates: list[OperationKey], formed: set[OperationKey]) -> Place:
    if not candidates:
        return Place(Fit.NONE)
    if len(candidates) > 1:
        return Place(Fit.SEVERAL)
    return Place(Fit.FORMS if candidates[0] in formed else Fit.JOINS, candidates[0])
