"""The log drives repair: what somebody changed in Azure is looked at as soon as its entry arrives.

A successful end alone is enough, whether its Start has come or not; a Start, an Accept or a refused call
changed nothing. An entry names an object and no more: the integration is that of the hub's assignment, and
the object's subscription must be one of that integration's, or no job is sent. The step then looks the
object up in its own table and ignores what is not there.

Names of operations: learn.microsoft.com/azure/role-based-access-control/resource-provider-operations
"""

import asyncio
import logging
import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import batched, chain
from typing import Final, Self

from shared.capture.callers import callers_of, plain
from shared.capture.entries import SUCCESS, Entry
from shared.capture.ports import RepairSink, SubscriptionDirectory
from shared.capture.whole import Whole
from shared.model.ids import parse_resource_id
from shared.model.jobs import Cause, Job, Phase, Step, cycle_stamp
from shared.settings import Settings

_log = logging.getLogger(__name__)

MOST_PER_STEP: Final = 100
"""Jobs of one step that one capture file leads to; instead of more, one job plans the step anew."""

_AT_ONCE: Final = 16

_LONGEST: Final = 4_096
"""Characters; no resource's ID is longer, and much longer ones fit into no job."""

_SUBSCRIPTION = re.compile(
    r"/?subscriptions/(?P<id>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?P<rest>/.*)?"
)
_SETTING = re.compile(
    # The API itself spells IDs of subscription settings without the first slash and with another provider.
    r"(?P<scope>.+?)/providers/(?:microsoft\.insights|azureresourcemanager)/diagnosticsettings(?:/(?P<name>[^/]+))?"
)
_WORKSPACE: Final = "microsoft.operationalinsights/workspaces"
_DATA_EXPORT: Final = f"{_WORKSPACE}/dataexports"
_AUTOMATION: Final = "microsoft.security/automations"


@dataclass(frozen=True, slots=True)
class Ours:
    """How our objects are called, and who we are; everything in lower case.

    Attributes:
        setting: name of our diagnostic settings.
        export_rules: names of our data export rules, the older one included.
        alert_export: name of our Defender for Cloud automations.
        alert_export_group: name of the resource group that holds them.
        types: resource types that are monitored.
        identities: object and client ID of the app's identity, without hyphens; none if they are not set.
    """

    setting: str
    export_rules: frozenset[str]
    alert_export: str
    alert_export_group: str
    types: frozenset[str]
    identities: frozenset[str]

    @classmethod
    def named_by(cls, settings: Settings) -> Self:
        """What the settings say."""
        return cls(
            setting=settings.setting_name.lower(),
            export_rules=_lowered(settings.export_rule_name, settings.older_export_rule),
            alert_export=settings.alert_export_name.lower(),
            alert_export_group=settings.alert_export_group.lower(),
            types=settings.monitored_types,
            identities=frozenset(map(plain, _lowered(settings.principal_id, settings.client_id or ""))),
        )


@dataclass(frozen=True, slots=True)
class RepairTarget:
    """What is to be looked at.

    Attributes:
        step: the step that looks after it.
        target: a subscription's ID or a resource's, in lower case; empty for all that the step has.
    """

    step: Step
    target: str = ""

    @property
    def subscription_id(self) -> str:
        """Where it is; empty if it is everything."""
        found = _SUBSCRIPTION.fullmatch(self.target)
        return found["id"] if found else self.target


def repairs_of(entries: Iterable[Entry], ours: Ours, whole: Iterable[Whole] = ()) -> set[RepairTarget]:
    """What has to be looked at because of these entries; entries that are not administrative do nothing.

    Args:
        entries: any.
        ours: how our objects are called, and who we are.
        whole: whole operations, whose entries count, too.
    """
    found: set[RepairTarget] = set()
    # Most of them concern nothing of ours: these are not taken apart.
    concerned = (one for one in whole if one.succeeded and _rule(one.key.operation, ours) is not None)
    for entry in chain(entries, chain.from_iterable(one.taken_apart() for one in concerned)):
        if entry.status != SUCCESS or len(entry.key.resource) > _LONGEST:
            continue
        rule = _rule(entry.key.operation, ours)
        if rule is None:
            continue
        targets = set(rule(entry.key.resource.rstrip("/"), ours)) - found
        if targets and not _is_by_us(entry, ours):
            found |= targets
    return found


def bounded(targets: Iterable[RepairTarget]) -> set[RepairTarget]:
    """At most `MOST_PER_STEP` targets of each step; of a step with more, everything."""
    by_step: defaultdict[Step, set[RepairTarget]] = defaultdict(set)
    for each in targets:
        by_step[each.step].add(each)
    return {
        each
        for step, found in by_step.items()
        for each in (found if len(found) <= MOST_PER_STEP else {RepairTarget(step)})
    }


def job_of(target: RepairTarget, integration_id: str, cycle: str) -> Job:
    """The job that looks at a target for an integration."""
    # Subscriptions of all integrations come in one listing.
    whose = "" if target.step is Step.SUBSCRIPTIONS else integration_id
    phase = Phase.TARGET if target.target else Phase.PLAN
    return Job(target.step, phase, cycle, Cause.LOG, whose, target.target)


class Repairs:
    """Sends the jobs that a capture file's entries lead to.

    Args:
        sink: takes the jobs.
        subscriptions: says whose they are.
        ours: how our objects are called, and who we are.
        clock: gives the present in UTC.
    """

    def __init__(
        self,
        *,
        sink: RepairSink,
        subscriptions: SubscriptionDirectory,
        ours: Ours,
        clock: Callable[[], datetime],
    ) -> None:
        self._sink = sink
        self._subscriptions = subscriptions
        self._ours = ours
        self._clock = clock

    async def send(self, integration_id: str, entries: Iterable[Entry], whole: Iterable[Whole] = ()) -> None:
        """Send one job for each target of entries and whole operations; doing it twice does no harm.

        What a table or a queue raises goes on to the caller, so that the capture file is handled again.
        """
        targets = bounded(await asyncio.to_thread(repairs_of, entries, self._ours, whole))
        if not targets:
            return
        known = await self._known(integration_id, {each.subscription_id for each in targets if each.target})
        cycle = cycle_stamp(self._clock())
        jobs = [
            job_of(each, integration_id, cycle)
            for each in sorted(targets, key=lambda each: (each.step, each.target))
            if not each.target or each.subscription_id in known
        ]
        for chunk in batched(jobs, _AT_ONCE, strict=False):
            await asyncio.gather(*map(self._sink.send_once, chunk))
        _log.info("%d repairs for %d targets integration=%s", len(jobs), len(targets), integration_id)

    async def _known(self, integration_id: str, subscription_ids: Collection[str]) -> set[str]:
        """Those of the subscriptions that are the integration's."""
        known: set[str] = set()
        for chunk in batched(subscription_ids, _AT_ONCE, strict=False):
            rows = await asyncio.gather(*(self._subscriptions.read(integration_id, each) for each in chunk))
            known |= {each for each, row in zip(chunk, rows, strict=True) if row is not None}
        return known


type _Rule = Callable[[str, Ours], Iterator[RepairTarget]]
"""From the entry's resource, in lower case, to what is to be looked at."""


def _setting(resource: str, ours: Ours) -> Iterator[RepairTarget]:
    """A diagnostic setting; one that the entry does not name may be ours."""
    found = _SETTING.fullmatch(resource)
    if found and found["name"] not in (None, ours.setting):
        return
    scope = found["scope"] if found else resource
    subscription = _SUBSCRIPTION.fullmatch(scope)
    if subscription and not subscription["rest"]:
        yield RepairTarget(Step.SUBSCRIPTION_SETTINGS, subscription["id"])
    elif _type_of(scope):
        yield RepairTarget(Step.RESOURCE_SETTINGS, scope)


def _data_export(resource: str, ours: Ours) -> Iterator[RepairTarget]:
    """A data export rule; one that the entry does not name may be ours."""
    kind = _type_of(resource)
    if kind == _WORKSPACE:
        yield RepairTarget(Step.WORKSPACE_EXPORTS, resource)
    elif kind == _DATA_EXPORT:
        workspace, _, name = resource.rsplit("/", 2)
        if name in ours.export_rules:
            yield RepairTarget(Step.WORKSPACE_EXPORTS, workspace)


def _workspace(resource: str, _: Ours) -> Iterator[RepairTarget]:
    if _type_of(resource) == _WORKSPACE:
        yield RepairTarget(Step.WORKSPACE_EXPORTS, resource)


def _automation(resource: str, ours: Ours) -> Iterator[RepairTarget]:
    if _type_of(resource) == _AUTOMATION and resource.endswith(f"/{ours.alert_export}"):
        yield RepairTarget(Step.ALERT_EXPORTS, parse_resource_id(resource).subscription_id)


def _group(resource: str, ours: Ours) -> Iterator[RepairTarget]:
    """A resource group; that of our automations goes with everything in it."""
    found = _SUBSCRIPTION.fullmatch(resource)
    if found and found["rest"] == f"/resourcegroups/{ours.alert_export_group}":
        yield RepairTarget(Step.ALERT_EXPORTS, found["id"])


def _delegation(_: str, __: Ours) -> Iterator[RepairTarget]:
    yield RepairTarget(Step.SUBSCRIPTIONS)


def _resource(resource: str, ours: Ours) -> Iterator[RepairTarget]:
    if _type_of(resource) in ours.types:
        yield RepairTarget(Step.RESOURCES, resource)


def _move(_: str, __: Ours) -> Iterator[RepairTarget]:
    """The entry tells from which group something was moved, not what."""
    yield RepairTarget(Step.RESOURCES)


def _provider(resource: str, _: Ours) -> Iterator[RepairTarget]:
    """Without the provider Microsoft.Insights there are no diagnostic settings."""
    found = _SUBSCRIPTION.fullmatch(resource)
    if found:
        yield RepairTarget(Step.SUBSCRIPTION_SETTINGS, found["id"])
        yield RepairTarget(Step.RESOURCE_SETTINGS, found["id"])


_CHANGES = ("write", "delete")
_RULES: dict[str, _Rule] = {
    **{f"microsoft.insights/diagnosticsettings/{change}": _setting for change in _CHANGES},
    **{f"{_DATA_EXPORT}/{change}": _data_export for change in _CHANGES},
    f"{_WORKSPACE}/delete": _workspace,
    **{f"{_AUTOMATION}/{change}": _automation for change in _CHANGES},
    "microsoft.resources/subscriptions/resourcegroups/delete": _group,
    **{f"microsoft.managedservices/registrationassignments/{change}": _delegation for change in _CHANGES},
    "microsoft.resources/subscriptions/resourcegroups/moveresources/action": _move,
    "microsoft.insights/register/action": _provider,
    "microsoft.insights/unregister/action": _provider,
}


def _rule(operation: str, ours: Ours) -> _Rule | None:
    kind, _, change = operation.rpartition("/")
    if kind in ours.types and change in _CHANGES:
        return _resource
    return _RULES.get(operation)


def _type_of(resource: str) -> str:
    """Type of the resource with that ID; empty if it is no such ID."""
    try:
        return parse_resource_id(resource).resource_type
    except ValueError:
        return ""


def _is_by_us(entry: Entry, ours: Ours) -> bool:
    """Whether the app's own identity made the call; an entry that does not tell is somebody else's."""
    return bool(ours.identities) and not ours.identities.isdisjoint(callers_of(entry.raw))


def _lowered(*names: str) -> frozenset[str]:
    return frozenset(name.lower() for name in names if name)
