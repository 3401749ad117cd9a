"""The activity log: which entries go to which event hubs, and what calls leave in it."""

import http
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from local.azure.entries import Actor, EntryWriter, Operation
from local.azure.http import Json, Request, Response
from local.azure.scopes import namespace_and_rule, subscription_of
from local.azure.stream import EventStream
from local.azure.world import Principal, Setting, World

_PERSON = ("198.51.100.7", "Owner")
_APPLICATION = ("203.0.113.40", "Log Analytics Contributor")


@dataclass(frozen=True, slots=True)
class Destination:
    """An event hub that gets some categories of logs."""

    namespace: str
    hub: str
    categories: frozenset[str]


def destination(world: World, setting: Setting) -> Destination | None:
    """Where a diagnostic setting leads, if its rule is still there."""
    named = namespace_and_rule(setting.rule_id)
    if not named or not setting.hub or not setting.enabled:
        return None
    namespace = named[0].lower()
    if (namespace, named[1].lower()) not in world.rules:
        return None
    return Destination(namespace, setting.hub.lower(), setting.enabled)


class ActivityLog:
    """Takes entries and sends them where diagnostic settings say.

    Args:
        world: settings and hubs.
        stream: takes what goes to event hubs.
    """

    def __init__(self, world: World, stream: EventStream) -> None:
        self.world = world
        self.writer = EntryWriter(world)
        self._stream = stream
        self.silent = False
        """Whether calls leave no entries; for measurements without Capture, where nobody would take them."""

    def destinations(self, subscription_id: str) -> frozenset[Destination]:
        """Where the subscription's activity log goes at this moment."""
        found = set()
        for setting in self.world.settings.get(f"/subscriptions/{subscription_id}".lower(), {}).values():
            place = destination(self.world, setting)
            if place:
                found.add(place)
        return frozenset(found)

    def record(self, subscription_id: str, entries: Sequence[Json], also: Iterable[Destination] = ()) -> int:
        """Send entries to all destinations, and to those that were there a moment ago.

        Gives back how many entries event hubs took, once for each hub.
        """
        taken = 0
        for place in sorted(
            self.destinations(subscription_id) | set(also), key=lambda d: (d.namespace, d.hub)
        ):
            if self.world.namespace(place.namespace) is None:
                continue
            wanted = [entry for entry in entries if entry.get("category") in place.categories]
            taken += self._stream.send_records(place.namespace, place.hub, wanted)
        return taken

    def record_call(
        self,
        principal: Principal,
        action: str,
        request: Request,
        response: Response,
        before: Iterable[Destination],
    ) -> None:
        """Write the Start and the end of a call to Resource Manager."""
        subscription_id = subscription_of(request.path)
        subscription = self.world.subscriptions.get(subscription_id)
        if self.silent or subscription is None or not (self.destinations(subscription_id) | set(before)):
            return
        user = principal.is_user
        address, role = _PERSON if user else _APPLICATION
        actor = Actor(principal, address, role, user=user)
        correlation = request.headers.get("x-ms-correlation-request-id") or self.world.guid()
        operation = Operation(subscription, actor, correlation, action, request.path)
        now = self.world.clock.now()
        sub_status = http.HTTPStatus(response.status).name.title().replace("_", "")
        sub_status = "OK" if response.status == http.HTTPStatus.OK else sub_status
        started: Json = {"requestbody": request.body.decode("utf-8", "replace")} if request.body else {}
        answered = response.body.decode()
        ended: Json = {"responseBody" if response.ok else "statusMessage": answered} if answered else {}
        status = "Succeeded" if response.ok else "Failed"
        begun = now - timedelta(milliseconds=300)
        entries = [
            self.writer.entry(operation, begun, "Started", properties=started),
            self.writer.entry(operation, now, status, sub_status, properties=ended),
        ]
        self.record(subscription_id, entries, before)
