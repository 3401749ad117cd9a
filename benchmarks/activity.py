"""Administrative activity as Azure exports it to Event Hubs, made from a seed.

Kinds of operations, their statuses, sizes and oddities follow what real activity logs show: Start, Accepts
and an end; request bodies on Start, response bodies on the synchronous end; deployments that share a
correlation ID over several operations; repeated attempts; ends without a Start and Starts without an end;
exact repeats; changing case; and entries of other categories in between. An entry has 2 to 4 kB, most of it
claims.
"""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from random import Random
from typing import Any

import msgspec

from benchmarks.identities import Identity, guid, identities

BEGIN = datetime(2026, 11, 2, 9, tzinfo=UTC)
"""When the first operation starts."""

type Record = dict[str, Any]

_TENANT = "5f0d3c1e-8a4b-4c9d-9f21-6b7a0e4d2c11"
_SUBSCRIPTIONS = 12
_IDENTITIES = 240
_OPERATIONS_PER_SECOND = 12.0
_SKEW = 4

_OTHER_CATEGORIES = ("Policy", "ResourceHealth", "Security", "Alert")
OTHER_SHARE = 0.06
"""Of all that happens, what is no operation but one entry of another category."""
_DEPLOYMENT_SHARE = 0.2
_NO_END_SHARE = 0.02
_NO_START_SHARE = 0.02
_REPEATED_SHARE = 0.005
_FAILURE_SHARE = 0.08
_SECOND_ATTEMPT_SHARE = 0.03
_LOWER_CASE_SHARE = 0.05


@dataclass(frozen=True, slots=True)
class Operation:
    """The entries of one API call, or one entry of another category.

    Attributes:
        administrative: whether it is one that is to be combined.
        entries: seconds from `BEGIN` at which each arrives, and the entry.
    """

    administrative: bool
    entries: tuple[tuple[float, Record], ...]


@dataclass(frozen=True, slots=True)
class _Kind:
    """One kind of operation: how often, how many Accepts, how long, how large its bodies are."""

    type: str
    action: str
    weight: int
    accepts: int = 0
    seconds: float = 1.0
    request_items: int = 0
    response_items: int = 0


_KINDS = (
    _Kind("Microsoft.KeyVault/vaults", "write", 4, 0, 2, 4, 4),
    _Kind("Microsoft.Storage/storageAccounts", "write", 3, 1, 6, 3),
    _Kind("Microsoft.Storage/storageAccounts", "listKeys/action", 6),
    _Kind("Microsoft.Authorization/roleAssignments", "write", 5, 0, 1, 1, 3),
    _Kind("Microsoft.Authorization/roleAssignments", "delete", 2, 0, 1, 0, 3),
    _Kind("Microsoft.Network/networkSecurityGroups", "write", 4, 1, 4, 6),
    _Kind("Microsoft.Compute/virtualMachines", "write", 3, 2, 9, 7),
    _Kind("Microsoft.Compute/virtualMachines/extensions", "write", 3, 2, 7, 2),
    _Kind("Microsoft.Resources/deployments", "write", 4, 1, 9, 10, 2),
    _Kind("Microsoft.Insights/diagnosticSettings", "write", 2, 0, 1, 3, 3),
)
_WEIGHTS = [kind.weight for kind in _KINDS]


def operations(seed: int, others: float = OTHER_SHARE) -> Iterator[Operation]:
    """Operations without end, in the order in which they start; a share of them is of other categories."""
    rng = Random(seed)  # noqa: S311 - made-up activity
    people = identities(rng, _IDENTITIES, _TENANT)
    subscriptions = [guid(rng) for _ in range(_SUBSCRIPTIONS)]
    now = 0.0
    while True:
        now += rng.expovariate(_OPERATIONS_PER_SECOND)
        # Few callers, automation mostly, make most of the calls.
        person = people[int(len(people) * rng.random() ** _SKEW)]
        subscription = rng.choice(subscriptions)
        caller = _Caller(rng, person, subscription, guid(rng))
        if rng.random() < others:
            yield Operation(administrative=False, entries=((now, caller.other(now)),))
            continue
        parts = rng.randint(2, 6) if rng.random() < _DEPLOYMENT_SHARE else 1
        for _ in range(parts):
            yield Operation(administrative=True, entries=tuple(caller.entries(now)))


def arrivals(seed: int, others: float = OTHER_SHARE) -> Iterator[Record]:
    """The entries of these operations without end, in the order in which they arrive."""
    pending: list[tuple[float, int, Record]] = []
    numbers = count()
    for operation in operations(seed, others):
        begins = operation.entries[0][0]
        while pending and pending[0][0] < begins:
            yield heapq.heappop(pending)[2]
        for at, record in operation.entries:
            heapq.heappush(pending, (at, next(numbers), record))


@dataclass(frozen=True, slots=True)
class _Caller:
    """Somebody who does something in a subscription, under one correlation ID."""

    rng: Random
    person: Identity
    subscription: str
    correlation: str

    def other(self, at: float) -> Record:
        category = self.rng.choice(_OTHER_CATEGORIES)
        resource, kind = self._resource(_KINDS[0]), "Microsoft.Authorization/policies/audit/action"
        properties = {"eventCategory": category, "entity": resource, "message": kind, "policies": "[]"}
        return self._record(at, "Success", "OK", (kind, resource, category), properties)

    def entries(self, begins: float) -> Iterator[tuple[float, Record]]:
        """When each entry of one operation arrives, and the entry, ordered by arrival."""
        rng = self.rng
        kind = rng.choices(_KINDS, _WEIGHTS)[0]
        resource = self._resource(kind)
        made: list[tuple[float, Record]] = []
        at = begins
        for status, detail, properties in self._course(kind):
            made.append(
                (at + rng.uniform(0.0, 2.0), self._administrative(at, status, detail, kind, resource))
            )
            made[-1][1]["properties"] = properties | made[-1][1]["properties"]
            at += 0.01 + rng.expovariate(1 / kind.seconds)
        if rng.random() < _REPEATED_SHARE:
            made.append((at + 1, made[0][1]))
        yield from sorted(made, key=lambda one: one[0])

    def _course(self, kind: _Kind) -> list[tuple[str, str, Record]]:
        """Status, its detail and its own properties, of all entries of one operation."""
        rng = self.rng
        start = ("Start", "", _request(rng, kind.request_items))
        course = [start]
        course += [("Accept", rng.choice(("Created", "Accepted")), _answer(rng)) for _ in range(kind.accepts)]
        if rng.random() < _FAILURE_SHARE:
            course.append(("Failure", "Conflict", _answer(rng) | {"statusMessage": _failure(rng)}))
            if rng.random() < _SECOND_ATTEMPT_SHARE / _FAILURE_SHARE:
                course += [start, ("Success", "OK", _answer(rng))]
        else:
            course.append(("Success", rng.choice(("OK", "Created")), _answer(rng, kind.response_items)))
        if rng.random() < _NO_END_SHARE:
            course.pop()
        elif rng.random() < _NO_START_SHARE:
            course.pop(0)
        return course

    def _administrative(self, at: float, status: str, detail: str, kind: _Kind, resource: str) -> Record:
        operation = f"{kind.type}/{kind.action}"
        properties = {
            "eventCategory": "Administrative",
            "entity": resource,
            "message": operation,
            "hierarchy": f"{_TENANT}/{self.subscription}",
        }
        return self._record(at, status, detail, (operation, resource, "Administrative"), properties)

    def _record(
        self, at: float, status: str, detail: str, what: tuple[str, str, str], properties: Record
    ) -> Record:
        operation, resource, category = what
        upper = self.rng.random() >= _LOWER_CASE_SHARE
        words = {"Start": "Started", "Accept": "Accepted", "Success": "Succeeded", "Failure": "Failed"}
        return {
            "RoleLocation": "West Europe",
            "ReleaseVersion": "6.2026.40.2+3f1c2ab.release_2026w40",
            "time": _time(at, self.rng),
            "resourceId": resource.upper() if upper else resource,
            "operationName": operation.upper(),
            "category": category,
            "resultType": status,
            "resultSignature": f"{words[status]}.{detail}",
            "durationMs": "0" if self.rng.random() < 0.9 else self.rng.randint(1, 900),  # noqa: PLR2004
            "callerIpAddress": self.person.address,
            "correlationId": self.correlation,
            "identity": {
                "authorization": {
                    "scope": resource,
                    "action": operation,
                    "evidence": self.person.evidence
                    | {"roleAssignmentScope": f"/subscriptions/{self.subscription}"},
                },
                "claims": self.person.claims,
            },
            "level": "Information",
            "properties": properties,
            "tenantId": _TENANT,
        }

    def _resource(self, kind: _Kind) -> str:
        number = self.rng.randrange(40)
        name = f"{kind.type.rpartition('/')[2][:6]}-{self.rng.getrandbits(40):010x}"
        group = f"/subscriptions/{self.subscription}/resourceGroups/rg-workload-{number:02}"
        return f"{group}/providers/{kind.type}/{name}"


def _time(at: float, rng: Random) -> str:
    moment = BEGIN + timedelta(seconds=at)
    return f"{moment:%Y-%m-%dT%H:%M:%S.%f}{rng.randrange(10)}Z"


def _items(rng: Random, number: int) -> list[Record]:
    return [
        {
            "name": f"item-{rng.getrandbits(32):08x}",
            "objectId": guid(rng),
            "enabled": rng.random() < 0.5,  # noqa: PLR2004
            "priority": rng.randrange(100, 4000),
        }
        for _ in range(number)
    ]


def _body(rng: Random, number: int) -> str:
    """JSON in a string, as Azure writes the bodies of calls."""
    body = {
        "location": "westeurope",
        "tags": {"team": f"t{rng.randrange(30)}"},
        "properties": _items(rng, number),
    }
    return msgspec.json.encode(body).decode()


def _request(rng: Random, items: int) -> Record:
    return {"requestbody": _body(rng, items)} if items else {}


def _answer(rng: Random, items: int = 0) -> Record:
    answer: Record = {"statusCode": "OK", "serviceRequestId": guid(rng)}
    return answer | {"responseBody": _body(rng, items)} if items else answer


def _failure(rng: Random) -> str:
    message = f"Another operation is in progress. Tracking ID: {guid(rng)}"
    return msgspec.json.encode({"error": {"code": "Conflict", "message": message}}).decode()
