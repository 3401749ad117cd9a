"""Faults that are switched on by name, for one route, for one subscription, for so many calls."""

from dataclasses import dataclass
from enum import StrEnum


class FaultKind(StrEnum):
    """What goes wrong."""

    DROP = "drop"
    """The connection breaks before anything is done."""
    DROP_AFTER = "drop_after"
    """The call is done, then the connection breaks."""
    ERROR_500 = "error_500"
    ERROR_503 = "error_503"
    THROTTLED = "throttled"
    """429, whatever the buckets hold."""
    KEEP_NOTHING = "keep_nothing"
    """A write answers as if it had been kept, and is not."""
    LOST_NEXT_LINK = "lost_next_link"
    """A page of a listing comes without its link to the next."""
    EMPTY_PAGE = "empty_page"
    """A page of a listing comes empty, without a link."""
    STALE_READ = "stale_read"
    """A read shows what stood there before the last write."""
    DUPLICATE_EVENT = "duplicate_event"
    """Event Grid delivers an event twice."""
    DELAYED_EVENT = "delayed_event"
    """Event Grid delivers an event late, after those that came behind it."""


EVENT_FAULTS = frozenset({FaultKind.DUPLICATE_EVENT, FaultKind.DELAYED_EVENT})
"""Faults of Event Grid; their path is the blob's URL."""

CALL_FAULTS = frozenset(FaultKind) - EVENT_FAULTS
"""Faults of calls to Resource Manager."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault.

    Attributes:
        kind: what goes wrong.
        method: only for this method; empty for any.
        path: only where the call's path contains this, case ignored; empty for any.
        subscription: only for this subscription; empty for any.
        calls: how often; None until it is switched off.
        skip: how many fitting calls go well first.
        seconds: the Retry-After of `throttled`; the delay of `delayed_event`.
    """

    kind: FaultKind
    method: str = ""
    path: str = ""
    subscription: str = ""
    calls: int | None = None
    skip: int = 0
    seconds: int = 5

    def fits(self, method: str, path: str, subscription: str) -> bool:
        """Whether a call is meant."""
        return (
            self.method.upper() in ("", method)
            and self.path.lower() in path.lower()
            and self.subscription.lower() in ("", subscription.lower())
        )


class Faults:
    """The faults that are switched on, by name."""

    def __init__(self) -> None:
        self._on: dict[str, tuple[Fault, int]] = {}

    def switch_on(self, name: str, fault: Fault) -> None:
        """Switch a fault on, in place of one of the same name."""
        self._on[name] = (fault, 0)

    def switch_off(self, name: str = "") -> None:
        """Switch one off, or all."""
        if name:
            self._on.pop(name, None)
        else:
            self._on.clear()

    def state(self) -> dict[str, dict[str, object]]:
        """What is switched on, and how many calls each has met."""
        return {name: {"kind": fault.kind, "met": met} for name, (fault, met) in self._on.items()}

    def take(
        self, method: str, path: str, subscription: str, among: frozenset[FaultKind]
    ) -> dict[FaultKind, Fault]:
        """The faults that a call meets; each meeting counts."""
        taken: dict[FaultKind, Fault] = {}
        for name, (fault, met) in self._on.items():
            if fault.kind not in among or not fault.fits(method, path, subscription):
                continue
            self._on[name] = (fault, met + 1)
            if fault.skip <= met and (fault.calls is None or met < fault.skip + fault.calls):
                taken.setdefault(fault.kind, fault)
        return taken
