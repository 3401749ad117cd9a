"""What became of one action. Outcomes are values: stored, counted and shown, never raised."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.model.reasons import Reason


class OutcomeKind(StrEnum):
    """The six ways an action ends."""

    UNCHANGED = "unchanged"
    CREATED = "created"
    REPAIRED = "repaired"
    REMOVED = "removed"
    DEFERRED = "deferred"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one action on one object ended.

    Attributes:
        kind: which of the six ways.
        reason: why; always there when blocked, and when deferred by something that can be named.
        detail: what Azure said, without payloads; for people.
        until: when a deferred action is to be tried again (UTC).
    """

    kind: OutcomeKind
    reason: Reason | None = None
    detail: str = ""
    until: datetime | None = None

    @property
    def done(self) -> bool:
        """Whether Azure is now as wanted, as far as one call can tell."""
        return self.kind not in (OutcomeKind.DEFERRED, OutcomeKind.BLOCKED)


UNCHANGED = Outcome(OutcomeKind.UNCHANGED)
CREATED = Outcome(OutcomeKind.CREATED)
REPAIRED = Outcome(OutcomeKind.REPAIRED)
REMOVED = Outcome(OutcomeKind.REMOVED)


def deferred(until: datetime, reason: Reason | None = None, detail: str = "") -> Outcome:
    """Not now: try again at `until`."""
    return Outcome(OutcomeKind.DEFERRED, reason, detail, until)


def blocked(reason: Reason, detail: str = "") -> Outcome:
    """Not until somebody mends the reason."""
    return Outcome(OutcomeKind.BLOCKED, reason, detail)
