"""A customer for whom everything stands: each kind of object that Lightkeeper keeps, beside others'."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local.azure.automations import may_send
from local.azure.estate import Customer, add_customer
from local.azure.hands import Hands
from local.azure.world import World
from shared.model.integration import Integration
from shared.model.jobs import Step
from shared.model.problem import Problem
from shared.model.upkeep import Coverage
from tests.helpers.facts import an_integration
from tests.helpers.lab import Lab

SETTING = "Lightkeeper-Logs"
RULE = "Lightkeeper-Entra-Data-Export"
GROUP = "LightkeeperAutomation"
HOME, AWAY = "lightkeeper-westeurope-1", "lightkeeper-uksouth-1"
ROLES = ("Reader", "Log Analytics Contributor", "Security Admin")
"""Names of the roles that the customer delegates."""

SWEEP = 3601
"""Seconds after which everything is looked at again."""

_WHOLE = Coverage.CONFIGURED
ALL_STEPS = tuple(step for step in Step if step is not Step.OFFBOARDING)

type Picture = dict[str, Any]
"""What stands in Azure, by place: everything but times, ETags and keys."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A lab with one customer, two subscriptions, two vaults in two regions, a workspace and an alert export.

    Attributes:
        lab: where.
        customer: as it was built.
        integration: as it was registered.
        vault: in the home region.
        away: a vault in another region.
        workspace: ID of the workspace with the Entra tables.
    """

    lab: Lab
    customer: Customer
    integration: Integration
    vault: str
    away: str
    workspace: str

    @property
    def hands(self) -> Hands:
        """People who change things."""
        return Hands(self.lab.azure)

    @property
    def subscription_id(self) -> str:
        """The subscription in which everything is."""
        return self.customer.delegated[0]

    @property
    def scope(self) -> str:
        """The ID of that subscription."""
        return f"/subscriptions/{self.subscription_id}"

    @property
    def automation(self) -> str:
        """ID of its alert export."""
        name = "LightkeeperDefenderForCloudExport"
        return f"{self.scope}/resourceGroups/{GROUP}/providers/Microsoft.Security/automations/{name}"

    @property
    def namespace_id(self) -> str:
        """ID of the namespace in the home region."""
        namespace = self.lab.world.namespaces[HOME]
        place = f"/subscriptions/{namespace.subscription_id}/resourceGroups/{namespace.group}"
        return f"{place}/providers/Microsoft.EventHub/namespaces/{namespace.name}"

    def picture(self) -> Picture:
        """What stands in Azure."""
        return picture(self.lab.world)

    def foreign(self) -> dict[str, object]:
        """What others have set up, as the very objects: a write would put others in their place."""
        world = self.lab.world
        found: dict[str, object] = {}
        for table in (world.settings, world.exports):
            for place, named in table.items():
                found |= {f"{place} {name}": each for name, each in named.items() if name == "theirs"}
        found |= {key: each for key, each in world.automations.items() if key.endswith("/theirs")}
        found |= {"/".join(key): each for key, each in world.hubs.items() if key[1] == "theirs"}
        return found | {"/".join(key): each for key, each in world.rules.items() if key[1] == "theirs"}

    def assert_foreign_untouched(self, before: Mapping[str, object]) -> None:
        """Nobody wrote or deleted what others have set up."""
        now = self.foreign()
        touched = [key for key, each in before.items() if now.get(key) is not each]
        assert not touched, f"touched: {touched}"

    async def sweep(self) -> None:
        """Let everything be looked at, and what was written be read back."""
        await self.lab.cycle(seconds=SWEEP)

    async def coverages(self) -> dict[str, Coverage]:
        """How far each object is covered, by what it is."""
        context, here = self.lab.context, self.integration.id
        found = {row.fact.subscription_id: row.fact.upkeep for row in await context.subscriptions.list(here)}
        found |= {row.fact.listed.id.lower(): row.fact.upkeep for row in await context.resources.list(here)}
        found |= {
            f"{key} alerts": state.upkeep for key, state in (await context.alert_exports.list(here)).items()
        }
        workspace = await context.workspaces.read(here, self.workspace)
        found[f"{self.workspace.lower()} export"] = workspace.fact.upkeep
        return {key: upkeep.coverage for key, upkeep in found.items()}

    async def problems(self) -> list[Problem]:
        """What is broken for the customer."""
        return await self.lab.problems(self.integration)

    async def assert_whole(self) -> None:
        """Everything is configured, and nothing is broken."""
        lacking = {key: each for key, each in (await self.coverages()).items() if each != _WHOLE}
        assert not lacking, f"not configured: {lacking}"
        problems = [*await self.problems(), *await self.lab.problems()]
        assert not problems, f"broken: {problems}"


async def stand(lab: Lab) -> Standing:
    """Build it up from nothing, with settings, rules, automations and hubs of others everywhere."""
    lab.steps = ALL_STEPS
    world, hands = lab.world, Hands(lab.azure)
    world.namespace_seconds = 0.0
    customer = add_customer(world, "contoso", 2, vaults=0)
    first, second = customer.delegated
    vault = hands.add_vault(first, "rg-app", "home", "westeurope")
    away = hands.add_vault(first, "rg-app", "away", "uksouth")
    workspace = hands.add_workspace(first, "rg-app", "entra", "westeurope")
    for each in (first, second):
        hands.add_group(each, GROUP, "westeurope")
        hands.delegate(each, roles=list(ROLES))
    integration = an_integration(
        id=world.guid(),
        tenant_id=customer.tenant_id,
        workspace_resource_id=workspace,
        created_at=world.clock.now(),
    )
    await lab.context.integrations.register(integration)
    standing = Standing(lab, customer, integration, vault, away, workspace)
    _add_foreign(standing)
    await lab.cycle()
    hub = {"partitionCount": 1, "retentionDescription": {"cleanupPolicy": "Delete"}}
    hands.act("PUT", f"{standing.namespace_id}/eventhubs/theirs", {"properties": hub})
    rights = {"properties": {"rights": ["Listen"]}}
    hands.act("PUT", f"{standing.namespace_id}/authorizationRules/theirs", rights)
    await standing.assert_whole()
    return standing


def _add_foreign(standing: Standing) -> None:
    hands, scope = standing.hands, standing.scope
    account = f"{scope}/resourceGroups/rg-app/providers/Microsoft.Storage/storageAccounts/theirs"
    for place, category in (
        (scope, "Administrative"),
        (standing.vault, "AuditEvent"),
        (standing.away, "AuditEvent"),
    ):
        logs = [{"category": category, "enabled": True}]
        hands.write_setting(place, "theirs", {"storageAccountId": account, "logs": logs})
    hands.write_export_rule(
        standing.workspace, "theirs", namespace_id=account, hub="", tables=["SigninLogs", "AuditLogs"]
    )
    workspace = {"actionType": "Workspace", "workspaceResourceId": standing.workspace}
    body = {
        "location": "westeurope",
        "properties": {
            "isEnabled": True,
            "scopes": [{"scopePath": scope}],
            "sources": [{"eventSource": "Alerts", "ruleSets": []}],
            "actions": [workspace],
        },
    }
    hands.act("PUT", f"{standing.automation.rpartition('/')[0]}/theirs", body)


def picture(world: World) -> Picture:
    """What stands in Azure, by place."""
    shown: Picture = {}
    for scope, settings in world.settings.items():
        for name, setting in settings.items():
            shown[f"{scope} setting {name}"] = (_sinks(setting.properties), sorted(setting.enabled))
    for workspace, rules in world.exports.items():
        for name, rule in rules.items():
            tables = sorted(rule.tables or ())
            shown[f"{workspace} rule {name}"] = (rule.destination.lower(), rule.hub, tables, rule.enabled)
    for key, automation in world.automations.items():
        shown[f"{key} automation"] = (automation.location, _without_keys(world, automation.properties))
    for name, namespace in world.namespaces.items():
        body = namespace.body
        keys = (body.get("properties") or {}).get("disableLocalAuth") is not True
        shown[f"namespace {name}"] = (
            namespace.location,
            body.get("sku"),
            body.get("identity"),
            keys,
            namespace.gone_at,
        )
    for (namespace_name, name), hub in world.hubs.items():
        shown[f"hub {namespace_name}/{name}"] = (hub.partitions, hub.retention, hub.capture)
    for (namespace_name, name), policy in world.rules.items():
        shown[f"policy {namespace_name}/{name}"] = sorted(policy.rights)
    return shown


def _without_keys(world: World, properties: Mapping[str, Any]) -> dict[str, Any]:
    """An automation's properties, with whether its key opens the hub in place of the key."""
    actions = [
        {**action, "connectionString": may_send(world, action)} if "connectionString" in action else action
        for action in properties["actions"]
    ]
    return {**properties, "actions": actions}


def _sinks(properties: Mapping[str, Any]) -> dict[str, str]:
    return {key: str(value).lower() for key, value in properties.items() if value and isinstance(value, str)}
