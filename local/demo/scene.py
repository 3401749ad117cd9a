"""Two customers: how they are made, onboarded, and what happens in them."""

from dataclasses import dataclass, field
from typing import Any

from local.app_client import AppClient
from local.azure.control import AzureControl, Played

DIRTY_ENTRIES = 4
"""What one round of malformed bodies holds: a torn body, a null body, and two records that are no objects."""

_SCENARIOS_PER_SUBSCRIPTION = 6


@dataclass(slots=True)
class CustomerScene:
    """One customer of the demo.

    Attributes:
        name: its slug.
        region: home region of its activity logs.
        tenant_id: its tenant.
        subscriptions: IDs of all its subscriptions.
        not_delegated: one that the customer forgets to delegate, if any.
        disabled: one that is disabled, if any.
        integration_id: given at registration.
        command: what the customer is told to run.
        played: what happened in its subscriptions.
    """

    name: str
    region: str
    tenant_id: str
    subscriptions: tuple[str, ...]
    not_delegated: str | None = None
    disabled: str | None = None
    integration_id: str = ""
    command: str = ""
    played: list[Played] = field(default_factory=list)

    @property
    def watched(self) -> list[str]:
        """Subscriptions that are to be configured."""
        return [each for each in self.subscriptions if each not in (self.not_delegated, self.disabled)]


async def make_customers(azure: AzureControl) -> list[CustomerScene]:
    """Contoso with twelve subscriptions, one to be forgotten and one disabled; Fabrikam with five."""
    contoso = await azure.add_customer("contoso", 12, not_delegated=12)
    fabrikam = await azure.add_customer("fabrikam", 5, not_delegated=5)
    ids = contoso.not_delegated
    return [
        CustomerScene("contoso", "westeurope", contoso.tenant_id, ids, not_delegated=ids[0], disabled=ids[1]),
        CustomerScene("fabrikam", "eastus", fabrikam.tenant_id, fabrikam.not_delegated),
    ]


async def register(app: AppClient, customer: CustomerScene) -> None:
    """Register a customer through the API."""
    fields: dict[str, Any] = {
        "customer": customer.name,
        "tenantId": customer.tenant_id,
        "displayName": customer.name.title(),
        "homeRegion": customer.region,
    }
    if customer.not_delegated is not None:
        # The subscription with the workspace is the one that will be forgotten, so it is missed.
        fields["workspaceResourceId"] = (
            f"/subscriptions/{customer.not_delegated}/resourceGroups/entra"
            "/providers/Microsoft.OperationalInsights/workspaces/entra-logs"
        )
    answer = await app.register(**fields)
    customer.integration_id = answer["id"]
    customer.command = answer["onboarding"]["command"]


async def delegate(azure: AzureControl, customer: CustomerScene) -> None:
    """What the customer's run of the command brings about: all but the forgotten one are delegated."""
    for subscription_id in customer.subscriptions:
        if subscription_id != customer.not_delegated:
            await azure.delegate(subscription_id)
    if customer.disabled is not None:
        await azure.set_state(customer.disabled, "Disabled")


async def act(azure: AzureControl, customer: CustomerScene) -> None:
    """Deployments, key vault changes, refused and failed calls; and once something malformed."""
    watched = customer.watched
    for subscription_id in watched:
        customer.played += await azure.play("mixed", subscription_id, count=_SCENARIOS_PER_SUBSCRIPTION)
    for scenario in ("deployment", "key_vault_create", "refused", "failed", "retried", "cascaded_delete"):
        customer.played += await azure.play(scenario, watched[0])
    customer.played += await azure.play("dirty", watched[-1])


async def entries_sent(azure: AzureControl, customers: list[CustomerScene]) -> dict[str, int]:
    """How many entries Azure has put into each customer's hubs, those of our own writes included."""
    hubs: dict[str, dict[str, int]] = (await azure.state())["hubs"]
    return {
        customer.name: sum(
            hub["records"] for name, hub in hubs.items() if name.rpartition("/")[2] == customer.name
        )
        + DIRTY_ENTRIES
        for customer in customers
    }
