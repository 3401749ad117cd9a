"""Step 3: list every resource to be monitored.

Resource Graph answers for hundreds of subscriptions at once but lags behind, so a subscription that was
delegated a short while ago is listed by itself. A row notes the complete listings in a row that did not see
its resource; after three of them Azure is asked for it, and what it does not have either is gone. Whatever a
listing sees again is not.
"""

import asyncio
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import batched
from typing import Final

from shared.arm.errors import ArmError, ThrottledError, UnavailableError
from shared.arm.resource_graph import MOST_SUBSCRIPTIONS, query_resources
from shared.arm.resources import get_resource, list_resources
from shared.model.ids import parse_resource_id
from shared.model.jobs import Cause, Job, Phase, Step
from shared.model.monitored import MONITORED_TYPES
from shared.model.reasons import Reason
from shared.model.resource import ListedResource, Resource
from shared.model.subscription import Subscription
from shared.model.upkeep import Coverage, Upkeep
from shared.store.tables import Stored
from shared.sync.absence import look_for
from shared.sync.context import Context
from shared.sync.upkeep import begun_again

_log = logging.getLogger(__name__)

KEPT: Final = 3
"""How many complete listings in a row must miss a resource before it is gone."""

_FRESH: Final = timedelta(hours=1)
"""How long after its delegation a subscription is listed by itself, since Resource Graph lags."""

_AT_ONCE: Final = 8
"""Subscriptions that are listed by themselves at the same time."""

LISTING: Final = "resources"
"""Kind under which complete listings are noted, by integration and range."""

_PLACE: Final = "resources"


class ResourcesStep:
    """Keeps the table of resources like Azure's own lists."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def run(self, job: Job) -> float | None:
        """Plan an integration, list a range of its subscriptions, or look at one resource.

        Raises:
            ArmError: a listing could not be completed; then nothing was changed.
            ConflictError: somebody else changed the rows; they are read and planned anew.
        """
        context = self._context
        if not job.integration_id:
            await context.start_each(job)
        elif job.phase is Phase.PLAN:
            await self._fan_out(job)
        elif job.target.startswith("/"):
            await self._look_at(job)
        else:
            await self._list(job)
        return None

    async def give_up(self, job: Job, error: ArmError | None) -> None:
        """Take down that resources could not be listed; what is known stays as it is."""
        reason = error.reason if error is not None else Reason.UNREACHABLE
        detail = error.detail if error is not None else ""
        await self._context.note(job.integration_id, f"{_PLACE} {job.target}", reason, detail)

    async def _fan_out(self, job: Job) -> None:
        context = self._context
        rows = [row.fact for row in await context.subscriptions.list(job.integration_id)]
        await context.fan_out(job, ranges(rows, MOST_SUBSCRIPTIONS))

    async def _list(self, job: Job) -> None:
        context = self._context
        first, _, last = job.target.partition("..")
        rows = [row.fact for row in await context.subscriptions.list(job.integration_id, first, last)]
        inside = [row for row in rows if row.watched]
        if not inside:
            return
        listed = await self._listed(inside)
        known = {
            row.fact.listed.key: row for row in await context.resources.list(job.integration_id, first, last)
        }
        covered = {row.subscription_id for row in inside}
        facts = {key: row.fact for key, row in known.items() if row.fact.listed.subscription_id in covered}
        after = plan(job.integration_id, listed, facts, stamp=job.cycle)
        found, unasked = await look_for(self._suspects(facts, after), self._get)
        if found or unasked:
            for suspect in unasked:
                del facts[suspect.key]
            after = plan(job.integration_id, [*listed, *found], facts, stamp=job.cycle)
        await self._save(job, known, after)
        await context.listings.note(LISTING, f"{job.integration_id}~{job.target}", job.cycle)
        await context.problems.settle(job.integration_id, f"{_PLACE} {job.target}", context.clock(), None)

    def _suspects(self, before: Mapping[str, Resource], after: Iterable[Resource]) -> list[ListedResource]:
        """What a listing would make gone, and was not yet; a type that is switched off needs no proof."""
        types = self._context.settings.monitored_types
        return [
            row.listed
            for row in after
            if row.upkeep.coverage is Coverage.GONE
            and before[row.listed.key].upkeep.coverage is not Coverage.GONE
            and row.listed.type in types
        ]

    async def _get(self, resource: ListedResource) -> ListedResource | None:
        version = MONITORED_TYPES[resource.type].api_version
        return await get_resource(self._context.arm, resource.id, version, resource.subscription_id)

    async def _listed(self, subscriptions: Sequence[Subscription]) -> list[ListedResource]:
        context = self._context
        types = context.settings.monitored_types
        now = context.clock()
        fresh = [
            row.subscription_id
            for row in subscriptions
            if row.delegated_since is not None and now - row.delegated_since < _FRESH
        ]
        settled = [row.subscription_id for row in subscriptions if row.subscription_id not in set(fresh)]
        listed: list[ListedResource] = []
        for several in batched(fresh, _AT_ONCE, strict=False):
            for each in await asyncio.gather(*(list_resources(context.arm, one, types) for one in several)):
                listed += each
        for group in batched(settled, MOST_SUBSCRIPTIONS, strict=False):
            listed += await query_resources(context.arm, group, types)
        return listed

    async def _look_at(self, job: Job) -> None:
        """Somebody wrote or deleted one resource; a listing would be late to tell."""
        context = self._context
        try:
            resource = parse_resource_id(job.target)
        except ValueError:
            return
        kind = MONITORED_TYPES.get(resource.resource_type)
        row = await context.subscriptions.read(job.integration_id, resource.subscription_id)
        if kind is None or kind.type not in context.settings.monitored_types:
            return
        if row is None or not row.fact.watched:
            return
        try:
            found = await get_resource(context.arm, job.target, kind.api_version, resource.subscription_id)
        except (ThrottledError, UnavailableError):
            raise
        except ArmError as error:
            _log.warning("%s integration=%s target=%s", error.detail, job.integration_id, job.target)
            return
        if found is None:
            # That one answer does not see it is no proof; the listings will tell.
            return
        known = await context.resources.read(job.integration_id, found)
        before = {found.key: known} if known is not None else {}
        facts = {key: row.fact for key, row in before.items()}
        after = plan(job.integration_id, [found], facts, stamp=job.cycle)
        await self._save(job, before, after)
        await context.send_once(replace(job, step=Step.RESOURCE_SETTINGS, attempt=0), 0.0)

    async def _save(
        self, job: Job, before: Mapping[str, Stored[Resource]], after: Iterable[Resource]
    ) -> None:
        context = self._context
        changed = [
            Stored(fact, row.etag if row is not None else "")
            for fact in after
            if (row := before.get(fact.listed.key)) is None or row.fact != fact
        ]
        for row in changed:
            await self._note_change(before.get(row.fact.listed.key), row.fact)
        await context.resources.save(changed)
        facts = {key: row.fact for key, row in before.items()}
        if any(begins(facts.get(row.fact.listed.key), row.fact) for row in changed):
            cause = Cause.ONBOARDING if job.cause is Cause.CYCLE else job.cause
            await context.start(Step.EVENT_HUBS, cause)
            await context.start(Step.RESOURCE_SETTINGS, cause, job.integration_id)

    async def _note_change(self, before: Stored[Resource] | None, after: Resource) -> None:
        reason = after.upkeep.reason if after.upkeep.coverage is not Coverage.GONE else None
        if (before.fact.upkeep.reason if before is not None else None) != after.upkeep.reason:
            await self._context.note(after.integration_id, after.listed.id, reason, after.upkeep.detail)


def ranges(subscriptions: Iterable[Subscription], most: int) -> list[str]:
    """The watched subscriptions as ranges of ids, `first..last`, of at most `most` subscriptions each."""
    ids = sorted(row.subscription_id for row in subscriptions if row.watched)
    return [f"{group[0]}..{group[-1]}" for group in batched(ids, most, strict=False)]


def plan(
    integration_id: str,
    listed: Iterable[ListedResource],
    known: Mapping[str, Resource],
    *,
    stamp: str,
) -> list[Resource]:
    """The rows as they are to be after a complete listing of the same subscriptions.

    Args:
        integration_id: whose rows.
        listed: the whole listing.
        known: the rows as they are, by key.
        stamp: of this listing.
    """
    rows = {key: _missed(row, stamp) for key, row in known.items()}
    for item in listed:
        row = known.get(item.key)
        rows[item.key] = _new(integration_id, item, stamp) if row is None else _seen(row, item)
    return list(rows.values())


def _new(integration_id: str, item: ListedResource, stamp: str) -> Resource:
    return Resource(integration_id, item, first_seen=stamp, upkeep=_fresh_upkeep(item))


def _seen(row: Resource, item: ListedResource) -> Resource:
    # Azure changes the casing of IDs at will, which is no change worth a write.
    listed = item if item.region != row.listed.region or item.type != row.listed.type else row.listed
    moved = item.region != row.listed.region
    if moved or row.upkeep.coverage is Coverage.GONE:
        return replace(row, listed=listed, missed=(), upkeep=_fresh_upkeep(item, row.upkeep))
    return replace(row, listed=listed, missed=())


def _missed(row: Resource, stamp: str) -> Resource:
    if stamp in row.missed or row.upkeep.coverage is Coverage.GONE:
        return row
    missed = tuple(sorted({*row.missed, stamp}))[-KEPT:]
    if len(missed) < KEPT:
        return replace(row, missed=missed)
    gone = Upkeep(coverage=Coverage.GONE, reason=Reason.RESOURCE_GONE, written_at=row.upkeep.written_at)
    return replace(row, missed=missed, upkeep=gone)


def _fresh_upkeep(item: ListedResource, before: Upkeep = Upkeep()) -> Upkeep:  # noqa: B008 - it is frozen
    if not item.id.isascii():
        return Upkeep(coverage=Coverage.EXCLUDED, reason=Reason.NON_ASCII_ID)
    return begun_again(before)


def begins(before: Resource | None, after: Resource) -> bool:
    """Whether a resource is to be looked after that was not until now, or in another region."""
    if before is None or not before.upkeep.kept or before.listed.region != after.listed.region:
        return after.upkeep.kept
    return after.upkeep.coverage is Coverage.PENDING
