"""A client of the control surface, for demos and tests in another process."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import aiohttp

from local.azure.estate import Customer
from local.azure.http import Json
from local.azure.remote_hands import RemoteHands
from local.azure.story import TrueOperation


class ControlError(Exception):
    """The simulated Azure did not do what it was told; the message is its own."""


@dataclass(frozen=True, slots=True)
class Played:
    """What one round of a scenario wrote.

    Attributes:
        scenario: its name.
        subscription_id: where.
        entries: how many entries.
        operations: the administrative operations among them.
        passed_through: entries that are not administrative.
        delivered: entries that event hubs took, once for each hub.
        raw_bodies: malformed bodies sent besides.
        empty_files: header-only files written besides.
        duplicates: entries sent a second time, byte for byte, not counted elsewhere.
    """

    scenario: str
    subscription_id: str
    entries: int
    operations: tuple[TrueOperation, ...]
    passed_through: int
    delivered: int
    raw_bodies: int
    empty_files: int
    duplicates: int


class AzureControl(RemoteHands):
    """Talks to `/_control/` of a simulated Azure; use as an async context.

    Args:
        url: of the simulated Azure.
    """

    def __init__(self, url: str) -> None:
        self._url = f"{url.rstrip('/')}/_control/"
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session:
            await self._session.close()

    async def add_customer(
        self,
        name: str,
        subscriptions: int,
        *,
        tenant_id: str = "",
        not_delegated: int = 0,
        disabled: int = 0,
        partial: int = 0,
        vaults: int = 1,
    ) -> Customer:
        """Add a customer tenant; `subscriptions` counts the special ones too, `vaults` are in each."""
        body = {"name": name, "subscriptions": subscriptions, "tenantId": tenant_id, "vaults": vaults}
        special = {"notDelegated": not_delegated, "disabled": disabled, "partial": partial}
        answer = await self._call("add-customer", {**body, **special})
        fates = {fate: tuple(answer[fate]) for fate in ("delegated", "not_delegated", "disabled", "partial")}
        return Customer(answer["name"], answer["tenant_id"], **fates)

    async def subscribe(self, webhook: str) -> None:
        """Send every BlobCreated event of Capture to a webhook, after the validation handshake."""
        await self._call("subscribe", {"url": webhook})

    async def play(
        self, scenario: str, subscription_id: str, *, count: int = 1, seed: int | None = None
    ) -> list[Played]:
        """Let something happen in a subscription.

        `mixed`, `repeated`, `split` and `dirty` are special; `vault_access`, `resource_logs`, `sign_ins`
        and `defender_alert` are telemetry that is no activity log.
        """
        body = {"scenario": scenario, "subscriptionId": subscription_id, "count": count, "seed": seed}
        answer = await self._call("play", body)
        return [_played(one) for one in answer["written"]]

    async def switch_fault_on(self, kind: str, *, name: str = "", **where: object) -> None:
        """Switch a fault on; `where` holds fields of `local.azure.faults.Fault`."""
        await self._call("fault-on", {"kind": kind, "name": name or kind, **where})

    async def switch_fault_off(self, name: str = "") -> None:
        """Switch a fault off, or all."""
        await self._call("fault-off", {"name": name})

    async def flush_capture(self) -> int:
        """Close every window that holds events now; gives back how many files that made."""
        return len((await self._call("flush", {}))["files"])

    async def delegate(
        self,
        subscription_id: str,
        *,
        delegated: bool = True,
        group: str | None = None,
        roles: Sequence[str] | None = None,
    ) -> None:
        """Delegate a subscription, or one resource group of it, to the provider; or withdraw it."""
        body = {"subscriptionId": subscription_id, "delegated": delegated, "group": group}
        await self._call("delegate", {**body, "roles": roles})

    async def set_roles(self, subscription_id: str, *roles: str) -> None:
        """Replace the roles delegated to the app's identity, by name, as `Reader`."""
        await self._call("set-roles", {"subscriptionId": subscription_id, "roles": roles})

    async def take_name(self, namespace: str) -> None:
        """Let a stranger hold a namespace name, so that it is not available."""
        await self._call("take-name", {"name": namespace})

    async def set_state(self, subscription_id: str, state: str) -> None:
        """Set a subscription's state, as `Disabled` or `Enabled`."""
        await self._call("set-state", {"subscriptionId": subscription_id, "state": state})

    async def set_graph_lag(self, seconds: float) -> None:
        """Let Resource Graph show changes so many seconds late."""
        await self._call("set-graph-lag", {"seconds": seconds})

    async def move_clock(self, seconds: float) -> None:
        """Go forward in time."""
        await self._call("move-clock", {"seconds": seconds})

    async def counts(self) -> Json:
        """Calls so far: `byKind`, `byStatus`, `bySubscription`."""
        return await self._call("counts", {})

    async def state(self) -> Json:
        """What stands: `settings` by scope, `exports`, `automations`, `namespaces`, `hubs`, `faults` ..."""
        return await self._call("state", {})

    async def _do(self, change: str, **arguments: object) -> Any:  # noqa: ANN401 - what the change gives back
        return (await self._call("do", {"change": change, "arguments": arguments}))["result"]

    async def _call(self, operation: str, body: Json) -> Json:
        if self._session is None:
            raise RuntimeError("use AzureControl as an async context")
        async with self._session.post(self._url + operation, json=body) as answer:
            value: Json = await answer.json()
            if not answer.ok:
                raise ControlError(str(value.get("error")))
            return value


def _played(one: dict[str, Any]) -> Played:
    operations = tuple(
        TrueOperation(
            known["correlation_id"],
            known["operation_name"],
            known["resource_id"],
            tuple(known["result_types"]),
        )
        for known in one["operations"]
    )
    return Played(
        one["scenario"],
        one["subscriptionId"],
        one["entries"],
        operations,
        one["passedThrough"],
        one["delivered"],
        one["rawBodies"],
        one["emptyFiles"],
        one["duplicates"],
    )
