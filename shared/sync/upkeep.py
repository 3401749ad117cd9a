"""Keeping one object in Azure as wanted: observe, plan, apply, settle; the same for every kind of object.

A name that is a function of its inputs makes a GET before the first PUT needless. Because Azure has been
seen to answer OK and keep nothing, what was written is read back later; only then is it configured. After
that it is verified in a slow sweep.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from shared.arm.errors import ArmError, ThrottledError, UnavailableError
from shared.jobs.spread import fraction
from shared.model.jobs import Cause, Job
from shared.model.outcome import CREATED, REPAIRED, UNCHANGED, Outcome, OutcomeKind, blocked
from shared.model.reasons import Reason
from shared.model.subscription import Subscription
from shared.model.upkeep import Coverage, Upkeep
from shared.settings import Settings
from shared.sync.drift import Difference

MOST_WRITES = 3
"""Writes in a row that no read-back confirmed, after which Azure is said to keep nothing."""


class Keeper[T](Protocol):
    """One object in Azure."""

    @property
    def role(self) -> str:
        """Name of the built-in role that allows to keep it."""

    async def read(self) -> T | None:
        """What Azure has; None if there is nothing.

        Raises:
            ArmError: Azure refused or did not answer.
        """

    def drift(self, found: T) -> list[Difference]:
        """Where that differs from what is wanted, in the fields we own."""

    async def write(self, found: T | None) -> None:
        """Make it as wanted, and keep what others added to what was found, if anything was.

        Raises:
            ArmError: Azure refused or did not answer.
        """


class ActionKind(StrEnum):
    """What can be done to one object."""

    CREATE = "create"
    REPAIR = "repair"
    CONFIRM = "confirm"
    GIVE_UP = "give_up"


@dataclass(frozen=True, slots=True)
class Action:
    """One thing to do to one object.

    Attributes:
        kind: what.
        why: which fields drifted, for people.
    """

    kind: ActionKind
    why: str = ""


@dataclass(frozen=True, slots=True)
class Observed:
    """What Azure says.

    Attributes:
        read: whether it was asked.
        exists: whether it has the object, if it was asked.
        drift: where that differs from what is wanted.
    """

    read: bool
    exists: bool = False
    drift: Sequence[Difference] = ()


async def look_after[T](
    keeper: Keeper[T], upkeep: Upkeep, now: datetime, cycle: str
) -> tuple[Upkeep, Action]:
    """Observe one object, plan, apply; gives how far it has come then, and what was done.

    Raises:
        ThrottledError, UnavailableError: it can only be tried again later.
    """
    action = Action(ActionKind.CREATE)
    try:
        found = await keeper.read() if was_written(upkeep) else None
        action = plan(upkeep, observed(keeper, upkeep, found))
        outcome = await apply(keeper, action, found)
    except (ThrottledError, UnavailableError):
        raise
    except ArmError as error:
        outcome = blocked(error.reason, explained(error, keeper.role))
    return settled(upkeep, outcome, now, cycle), action


def explained(error: ArmError, role: str) -> str:
    """What Azure said, and the role that would have allowed it."""
    if error.reason is Reason.ROLE_MISSING:
        return f"{error.detail} (the role {role} allows it)"
    return error.detail


def was_written(upkeep: Upkeep) -> bool:
    """Whether Azure may have the object from us; what is to be written in any case is pending."""
    if upkeep.coverage is Coverage.BLOCKED:
        return upkeep.written_at is not None
    return upkeep.coverage in (Coverage.WRITTEN, Coverage.CONFIGURED)


def observed[T](keeper: Keeper[T], upkeep: Upkeep, found: T | None) -> Observed:
    """What follows from what was found; what was never written is not asked for."""
    if found is None:
        return Observed(read=was_written(upkeep))
    return Observed(read=True, exists=True, drift=tuple(keeper.drift(found)))


def plan(upkeep: Upkeep, observed: Observed) -> Action:
    """What to do, from what was observed."""
    if not observed.read:
        return Action(ActionKind.CREATE)
    drift = ", ".join(difference.field for difference in observed.drift) if observed.exists else "missing"
    if not drift:
        return Action(ActionKind.CONFIRM)
    # What was blocked for that is tried again.
    if upkeep.writes >= MOST_WRITES and upkeep.coverage is not Coverage.BLOCKED:
        return Action(ActionKind.GIVE_UP, f"{drift} after {upkeep.writes} writes")
    return Action(ActionKind.REPAIR, drift)


async def apply[T](keeper: Keeper[T], action: Action, found: T | None) -> Outcome:
    """Do one thing with what was found.

    Raises:
        ArmError: Azure refused or did not answer.
    """
    match action.kind:
        case ActionKind.CONFIRM:
            return UNCHANGED
        case ActionKind.GIVE_UP:
            return blocked(Reason.KEEPS_NOTHING, action.why)
        case ActionKind.CREATE:
            await keeper.write(found)
            return CREATED
        case ActionKind.REPAIR:
            await keeper.write(found)
            return REPAIRED


def settled(upkeep: Upkeep, outcome: Outcome, now: datetime, cycle: str) -> Upkeep:
    """How far the object has come after an outcome; only what was read back is configured."""
    after = replace(upkeep, reason=None, detail="", handled=max(upkeep.handled, cycle))
    match outcome.kind:
        case OutcomeKind.UNCHANGED:
            return replace(after, coverage=Coverage.CONFIGURED, verified_at=now, writes=0, noted=False)
        case OutcomeKind.CREATED | OutcomeKind.REPAIRED:
            return replace(after, coverage=Coverage.WRITTEN, written_at=now, writes=upkeep.writes + 1)
        case _:
            return replace(
                after,
                coverage=Coverage.BLOCKED,
                reason=outcome.reason,
                detail=outcome.detail,
                noted=True,
            )


def out_of_reach(upkeep: Upkeep, owner: Subscription) -> Upkeep:
    """How far an object has come whose subscription is watched no more: it shows the subscription's reason.

    It stays kept, and what is known of it stays known, so that it is read and confirmed when the
    subscription returns. The problem is the subscription's; the object has none of its own.
    """
    if owner.watched or not upkeep.kept:
        return upkeep
    reason = owner.upkeep.reason or Reason.NOT_DELEGATED
    return replace(
        upkeep, coverage=Coverage.BLOCKED, reason=reason, detail=owner.upkeep.detail, writes=0, noted=False
    )


def begun_again(before: Upkeep) -> Upkeep:
    """The upkeep of an object that is to be kept anew; what was written before may still be there."""
    coverage = Coverage.PENDING if before.written_at is None else Coverage.WRITTEN
    return Upkeep(coverage=coverage, written_at=before.written_at, handled=before.handled, noted=before.noted)


def given_up(error: ArmError | None) -> Outcome:
    """The outcome of a job that was tried too often; `error` is what stood in the way last."""
    return blocked(Reason.UNREACHABLE) if error is None else blocked(error.reason, error.detail)


def has_news(before: Upkeep, after: Upkeep) -> bool:
    """Whether a change is to be taken down: what is in the way, or that nothing of its own is any more."""
    if problem_of(after) is None:
        return before.noted and not after.noted
    return (problem_of(before), before.detail) != (problem_of(after), after.detail)


def problem_of(upkeep: Upkeep) -> Reason | None:
    """The reason that stands among the problems as the object's own."""
    return upkeep.reason if upkeep.noted else None


def is_due(upkeep: Upkeep, settings: Settings, now: datetime, *key: str) -> bool:
    """Whether a cycle has to look after an object.

    What is pending or blocked is tried in every cycle; what was written is read back after a while; what
    is configured is verified in a sweep that rolls: each object at its own moment, none later than asked.
    """
    match upkeep.coverage:
        case Coverage.PENDING | Coverage.BLOCKED:
            return True
        case Coverage.WRITTEN:
            return _passed(upkeep.written_at, now) >= timedelta(seconds=settings.read_back_seconds)
        case Coverage.CONFIGURED:
            sweep = settings.sweep_seconds * (1 + fraction(*key)) / 2
            return _passed(upkeep.verified_at, now) >= timedelta(seconds=sweep)
        case _:
            return False


def is_wanted(upkeep: Upkeep, job: Job, settings: Settings, now: datetime, *key: str) -> bool:
    """Whether a job has to look after an object: what is due, or all of them if somebody asks for it now."""
    if job.cause in (Cause.LOG, Cause.OPERATOR):
        return upkeep.kept
    return is_due(upkeep, settings, now, *key) and not is_stale(upkeep, job)


def is_stale(upkeep: Upkeep, job: Job) -> bool:
    """Whether a newer cycle has looked after the object already."""
    return job.cause is Cause.CYCLE and upkeep.handled > job.cycle


def _passed(since: datetime | None, now: datetime) -> timedelta:
    return timedelta.max if since is None else now - since
