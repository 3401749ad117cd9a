"""What must hold of a customer who was offboarded: what could go is gone, and the rest is reported."""

from local.azure.world import World
from shared.model.integration import IntegrationStatus
from shared.model.removal import RemovalState
from shared.sync.context import Context
from tests.helpers.chaos_estate import Tenant

_OURS = ("lightkeeper", "older-entra")


async def wrong_of_leaving(world: World, context: Context, tenant: Tenant, integration_id: str) -> list[str]:
    """Everything that is not as it must be when an offboarding has come to its end."""
    removals = {
        (row.fact.scope.lower(), row.fact.name.lower()): row.fact
        for row in await context.removals.list(integration_id)
    }
    wrong: list[str] = []
    for key in sorted(_standing(world, tenant)):
        removal = removals.get(key)
        if removal is None or removal.state is not RemovalState.BLOCKED or removal.reason is None:
            state = "is not known" if removal is None else f"is {removal.state} {removal.reason}"
            wrong.append(f"{key} still stands, and {state}")
    wrong += [f"{key} is {each.state}" for key, each in removals.items() if each.open]
    integration = await context.integrations.get(integration_id)
    status = integration.status if integration is not None else None
    if status is not IntegrationStatus.OFFBOARDED:
        wrong.append(f"{tenant.customer} is {status}")
    wrong += [f"hub {hub} still there" for hub in world.hubs if hub[1] == tenant.customer]
    hubs = [row.fact for row in await context.hubs.list() if row.fact.integration_id == integration_id]
    wrong += [f"hub in {hub.region} is {hub.state}" for hub in hubs]
    problems = await context.problems.list(integration_id)
    wrong += [f"open at {each.where}: {each.reason}" for each in problems]
    return wrong


def _standing(world: World, tenant: Tenant) -> set[tuple[str, str]]:
    """Our objects in the customer's subscriptions, by scope and name."""
    found = {
        (scope, name)
        for table in (world.settings, world.exports)
        for scope, named in table.items()
        for name in named
        if name.startswith(_OURS)
    }
    found |= {(key, key.rpartition("/")[2]) for key in world.automations if "/automations/lightkeeper" in key}
    return {(scope, name) for scope, name in found if scope.split("/")[2] in tenant.subscriptions}
