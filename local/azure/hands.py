"""What people do in customers' subscriptions and in the provider's: changes that Lightkeeper did not ask for.

Everything goes through the simulated API, so that it leaves the entries that Azure would write, with the
person's claims. These people may do anything; the other rules hold for them too.
"""

import uuid
from typing import Any
from urllib.parse import quote

from local.azure.app import SimulatedAzure
from local.azure.estate import delegation_to_provider
from local.azure.http import Json, Response
from local.azure.managed_services import assignment_path
from local.azure.roles import ROLES
from local.azure.scopes import subscription_of
from local.azure.workspaces import TYPE as WORKSPACE
from local.azure.world import Principal, World

_PORTAL = "c44b4083-3bb0-49c1-b47d-974e53cbdf3c"
_SETTINGS = "providers/microsoft.insights/diagnosticSettings"
_GONE = 204


def person(world: World, tenant_id: str) -> Principal:
    """Somebody with all rights in a tenant, always the same one."""
    home = "provider" if tenant_id == world.provider_tenant else "customer"
    who = uuid.uuid5(uuid.NAMESPACE_URL, f"person/{tenant_id}")
    return Principal(str(who), _PORTAL, tenant_id, f"admin@{home}.example", unlimited=True)


class Hands:
    """Changes by people.

    Methods that delete say whether there was something; all raise `ValueError` if Azure refuses and
    `KeyError` if what is to be changed is not there.

    Args:
        azure: where.
    """

    def __init__(self, azure: SimulatedAzure) -> None:
        self._azure = azure
        self._world = azure.world

    def act(self, method: str, path: str, body: Json | None = None) -> Response:
        """Any call, by somebody of the tenant in which the path lies."""
        subscription = self._world.subscriptions[subscription_of(path)]
        response = self._azure.act(person(self._world, subscription.tenant_id), method, path, body)
        if not response.ok:
            raise ValueError(f"{response.status}: {response.body.decode()}")
        return response

    def delete_setting(self, scope: str, name: str) -> bool:
        """Delete a diagnostic setting of a subscription or resource."""
        return self.act("DELETE", f"{scope}/{_SETTINGS}/{name}").status != _GONE

    def write_setting(self, scope: str, name: str, properties: Json) -> None:
        """Write a diagnostic setting, as a foreign one."""
        self.act("PUT", f"{scope}/{_SETTINGS}/{name}", {"properties": properties})

    def change_setting(
        self,
        scope: str,
        name: str,
        *,
        hub: str | None = None,
        rule_id: str | None = None,
        categories: list[str] | None = None,
        disable: str | None = None,
    ) -> None:
        """Change a diagnostic setting: its hub, its rule, all its categories, or switch one of them off."""
        setting = self._world.settings[scope.lower()][name.lower()]
        enabled = set(setting.enabled if categories is None else categories) - {disable}
        logs = [{"category": each, "enabled": True} for each in sorted(enabled)]
        if disable:
            logs.append({"category": disable, "enabled": False})
        changed = {**setting.properties, "logs": logs}
        if hub is not None:
            changed["eventHubName"] = hub
        if rule_id is not None:
            changed["eventHubAuthorizationRuleId"] = rule_id
        self.write_setting(scope, name, changed)

    def delete_export_rule(self, workspace_id: str, name: str) -> bool:
        """Delete a data export rule."""
        if name.lower() not in self._world.exports.get(workspace_id.lower(), {}):
            return False
        self.act("DELETE", f"{workspace_id}/dataExports/{name}")
        return True

    def write_export_rule(
        self,
        workspace_id: str,
        name: str,
        *,
        namespace_id: str,
        hub: str,
        tables: list[str],
        enabled: bool = True,
    ) -> None:
        """Write a data export rule whole."""
        destination = {"resourceId": namespace_id, "metaData": {"eventHubName": hub} if hub else {}}
        properties = {"destination": destination, "tableNames": tables, "enable": enabled}
        self.act("PUT", f"{workspace_id}/dataExports/{name}", {"properties": properties})

    def change_export_rule(
        self,
        workspace_id: str,
        name: str,
        *,
        enabled: bool | None = None,
        tables: list[str] | None = None,
        hub: str | None = None,
    ) -> None:
        """Disable a data export rule, cut its tables, or lead it elsewhere."""
        rule = self._world.exports[workspace_id.lower()][name.lower()]
        self.write_export_rule(
            workspace_id,
            name,
            namespace_id=rule.destination,
            hub=rule.hub if hub is None else hub,
            tables=list(rule.tables or ()) if tables is None else tables,
            enabled=rule.enabled if enabled is None else enabled,
        )

    def delete_automation(self, automation_id: str) -> bool:
        """Delete a security automation."""
        if automation_id.lower() not in self._world.automations:
            return False
        self.act("DELETE", automation_id)
        return True

    def change_automation(self, automation_id: str, **properties: Any) -> None:  # noqa: ANN401 - any property
        """Replace properties of a security automation, as `isEnabled`."""
        self.act("PATCH", automation_id, {"properties": properties})

    def delete_hub(self, namespace: str, hub: str) -> bool:
        """Delete an event hub with everything in it."""
        return self.act("DELETE", f"{self._namespace_id(namespace)}/eventhubs/{hub}").status != _GONE

    def change_hub(self, namespace: str, hub: str, **properties: Any) -> None:  # noqa: ANN401 - any property
        """Replace properties of an event hub, as `retentionDescription`."""
        self.act("PUT", f"{self._namespace_id(namespace)}/eventhubs/{hub}", {"properties": properties})

    def change_capture(self, namespace: str, hub: str, **changes: Any) -> None:  # noqa: ANN401 - any property
        """Change fields of a hub's Capture, as `enabled` or `intervalInSeconds`."""
        before = self._world.hubs[namespace.lower(), hub.lower()].capture or {}
        self.change_hub(namespace, hub, captureDescription={**before, **changes})

    def delete_namespace(self, namespace: str) -> None:
        """Begin to delete a namespace."""
        self.act("DELETE", self._namespace_id(namespace))

    def write_resource(self, resource_id: str, location: str, body: Json | None = None) -> None:
        """Make a resource, or write it again."""
        self.act("PUT", resource_id, {**(body or {}), "location": location})

    def delete_resource(self, resource_id: str) -> bool:
        """Delete a resource; its diagnostic settings stay behind."""
        return self.act("DELETE", resource_id).status != _GONE

    def move_to_region(self, resource_id: str, location: str) -> None:
        """Delete a resource and make it anew elsewhere: there is no other way to another region."""
        before = self._world.resources[resource_id.lower()]
        self.delete_resource(resource_id)
        self.write_resource(before.resource_id, location, before.body)

    def make_anew(self, resource_id: str) -> None:
        """Delete a resource and make it again with the same ID."""
        self.move_to_region(resource_id, self._world.resources[resource_id.lower()].location)

    def move_to_group(self, resource_id: str, group_id: str) -> None:
        """Move a resource to another resource group, also of another subscription: its ID changes."""
        source = resource_id.partition("/providers/")[0]
        body = {"resources": [resource_id], "targetResourceGroup": group_id}
        self.act("POST", f"{source}/moveResources", body)

    def add_vault(self, subscription_id: str, group: str, name: str, location: str) -> str:
        """Make a key vault, and its resource group if need be; gives back the vault's ID."""
        place = self._group(subscription_id, group, location)
        vault = f"{place}/providers/Microsoft.KeyVault/vaults/{name}"
        self.write_resource(vault, location, {"properties": {"sku": {"family": "A", "name": "standard"}}})
        return vault

    def add_workspace(self, subscription_id: str, group: str, name: str, location: str) -> str:
        """Make a Log Analytics workspace, and its resource group if need be; gives back its ID."""
        place = self._group(subscription_id, group, location)
        workspace = f"{place}/providers/{WORKSPACE}/{name}"
        self.write_resource(workspace, location)
        return workspace

    def add_group(self, subscription_id: str, group: str, location: str) -> str:
        """Make a resource group; gives back its ID."""
        return self._group(subscription_id, group, location)

    def withdraw(self, subscription_id: str) -> bool:
        """Withdraw whatever is delegated to the provider."""
        subscription = self._world.subscriptions[subscription_id.lower()]
        ours = [d for d in subscription.delegations if d.tenant_id == self._world.provider_tenant]
        for delegation in ours:
            self.act("DELETE", assignment_path(subscription, delegation))
        return bool(ours)

    def delegate(
        self, subscription_id: str, *, group: str | None = None, roles: list[str] | None = None
    ) -> None:
        """Delegate a subscription, or one resource group of it, to the provider's app."""
        world = self._world
        subscription = world.subscriptions[subscription_id.lower()]
        grants = delegation_to_provider(world).grants
        if roles is not None:
            grants = frozenset((world.app.object_id, ROLES[role].name) for role in roles)
        place = f"/subscriptions/{subscription.subscription_id}"
        guid = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{place}/{sorted(grants)}"))
        definition = f"{place}/providers/Microsoft.ManagedServices/registrationDefinitions/{guid}"
        authorizations = [
            {"principalId": who, "roleDefinitionId": ROLES[role].guid} for who, role in sorted(grants)
        ]
        properties = {
            "registrationDefinitionName": "Lightkeeper",
            "managedByTenantId": world.provider_tenant,
            "authorizations": authorizations,
        }
        self.act("PUT", definition, {"properties": properties})
        where = f"{place}/resourceGroups/{group}" if group else place
        assignment = f"{where}/providers/Microsoft.ManagedServices/registrationAssignments/{guid}"
        self.act("PUT", assignment, {"properties": {"registrationDefinitionId": definition}})

    def set_provider(self, subscription_id: str, provider: str, *, registered: bool) -> None:
        """Register a resource provider in a subscription, or unregister it."""
        verb = "register" if registered else "unregister"
        self.act("POST", f"/subscriptions/{subscription_id}/providers/{provider}/{verb}")

    def _group(self, subscription_id: str, group: str, location: str) -> str:
        place = f"/subscriptions/{subscription_id}/resourceGroups/{group}"
        if (subscription_id.lower(), group.lower()) not in self._world.groups:
            self.act("PUT", place, {"location": location})
        return place

    def _namespace_id(self, name: str) -> str:
        namespace = self._world.namespaces[name.lower()]
        place = f"/subscriptions/{namespace.subscription_id}/resourceGroups/{namespace.group}"
        return f"{place}/providers/Microsoft.EventHub/namespaces/{quote(namespace.name)}"
