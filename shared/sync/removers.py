"""What we made in customers' subscriptions, as things to be found and removed."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Final

from shared.arm.automations import delete_automation, get_automation
from shared.arm.connection import Arm
from shared.arm.data_exports import delete_rule, get_rule
from shared.arm.diagnostic_settings import delete_setting, get_setting
from shared.model.ids import parse_resource_id
from shared.model.integration import Integration
from shared.model.removal import Removal, RemovalKind
from shared.model.resource import Resource
from shared.model.subscription import Subscription
from shared.model.upkeep import Coverage, Upkeep
from shared.settings import Settings
from shared.sync.alert_exports import automation_id
from shared.sync.keepers import LOG_ANALYTICS_CONTRIBUTOR, SECURITY_ADMIN

_TOUCHED: Final = (Coverage.WRITTEN, Coverage.CONFIGURED, Coverage.BLOCKED, Coverage.GONE)


@dataclass(frozen=True, slots=True)
class Remover:
    """How one object is found and removed.

    Attributes:
        role: name of the built-in role that allows it.
        read: gives the ID of what the object sends to; None if there is no such object.
        delete: deletes it.
        by_name: whether its name alone makes it ours.
    """

    role: str
    read: Callable[[], Awaitable[str | None]]
    delete: Callable[[], Awaitable[None]]
    by_name: bool = False


def remover_of(arm: Arm, removal: Removal) -> Remover:
    """The remover of an object."""
    match removal.kind:
        case RemovalKind.SUBSCRIPTION_SETTING | RemovalKind.RESOURCE_SETTING:
            return _setting(arm, removal)
        case RemovalKind.EXPORT_RULE | RemovalKind.OLDER_EXPORT_RULE:
            return _rule(arm, removal)
        case RemovalKind.ALERT_EXPORT:
            return _alert_export(arm, removal)


def _setting(arm: Arm, removal: Removal) -> Remover:
    async def read() -> str | None:
        found = await get_setting(arm, removal.scope, removal.name)
        return None if found is None else found.rule_id

    return Remover(LOG_ANALYTICS_CONTRIBUTOR, read, lambda: delete_setting(arm, removal.scope, removal.name))


def _rule(arm: Arm, removal: Removal) -> Remover:
    async def read() -> str | None:
        found = await get_rule(arm, removal.scope, removal.name)
        return None if found is None else found.namespace_id

    return Remover(
        LOG_ANALYTICS_CONTRIBUTOR,
        read,
        lambda: delete_rule(arm, removal.scope, removal.name),
        by_name=removal.kind is RemovalKind.OLDER_EXPORT_RULE,
    )


def _alert_export(arm: Arm, removal: Removal) -> Remover:
    async def read() -> str | None:
        found = await get_automation(arm, removal.scope)
        return None if found is None else found.hub_id

    return Remover(SECURITY_ADMIN, read, lambda: delete_automation(arm, removal.scope))


def is_ours(settings: Settings, destination: str) -> bool:
    """Whether something is a namespace of ours, or in one."""
    group = f"/subscriptions/{settings.provider_subscription_id}/resourcegroups/{settings.hub_resource_group}"
    namespaces = f"{group}/providers/microsoft.eventhub/namespaces/".lower()
    # Azure sometimes leaves the leading slash away.
    return f"/{destination.lstrip('/')}".lower().startswith(namespaces)


def removals_of(
    integration: Integration,
    subscriptions: Iterable[Subscription],
    resources: Iterable[Resource],
    settings: Settings,
) -> list[Removal]:
    """Everything that we may have made in the customer's tenant.

    A write whose row was never saved is possible wherever a subscription was delegated, so there everything
    is looked for.
    """
    found: list[Removal] = []
    for row in subscriptions:
        scope = f"/subscriptions/{row.subscription_id}"
        if row.delegated_since is None and not _is_touched(row.upkeep):
            continue
        owner = (integration.id, row.subscription_id)
        found.append(Removal(*owner, RemovalKind.SUBSCRIPTION_SETTING, scope, settings.setting_name))
        automation = automation_id(settings, row.subscription_id)
        found.append(Removal(*owner, RemovalKind.ALERT_EXPORT, automation, settings.alert_export_name))
    for resource in resources:
        if resource.upkeep.coverage is not Coverage.EXCLUDED or _is_touched(resource.upkeep):
            owner = (integration.id, resource.listed.subscription_id)
            scope = resource.listed.id
            found.append(Removal(*owner, RemovalKind.RESOURCE_SETTING, scope, settings.setting_name))
    return [*found, *_rules(integration, settings)]


def _rules(integration: Integration, settings: Settings) -> list[Removal]:
    workspace = integration.workspace_resource_id
    if workspace is None:
        return []
    owner = (integration.id, parse_resource_id(workspace).subscription_id)
    rules = [Removal(*owner, RemovalKind.EXPORT_RULE, workspace, settings.export_rule_name)]
    if settings.older_export_rule and settings.older_export_rule.lower() != rules[0].name.lower():
        older = settings.older_export_rule
        rules.append(Removal(*owner, RemovalKind.OLDER_EXPORT_RULE, workspace, older))
    return rules


def _is_touched(upkeep: Upkeep) -> bool:
    written = upkeep.written_at is not None or upkeep.verified_at is not None
    return written or upkeep.coverage in _TOUCHED
