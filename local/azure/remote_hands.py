"""The changes of `hands`, asked for from another process."""

from typing import Any

from local.azure.http import Json


class RemoteHands:
    """What people do in customers' subscriptions and in the provider's; see `hands.Hands`.

    Whoever derives from it says how a change is asked for.
    """

    async def delete_setting(self, scope: str, name: str) -> bool:
        """Delete a diagnostic setting as the customer; whether there was one."""
        return bool(await self._do("delete_setting", scope=scope, name=name))

    async def write_setting(self, scope: str, name: str, properties: Json) -> None:
        """Write a diagnostic setting, as a foreign one."""
        await self._do("write_setting", scope=scope, name=name, properties=properties)

    async def change_setting(self, scope: str, name: str, **changes: object) -> None:
        """Change a diagnostic setting: `hub`, `rule_id`, `categories`, or `disable` one category."""
        await self._do("change_setting", scope=scope, name=name, **changes)

    async def delete_export_rule(self, workspace_id: str, name: str) -> bool:
        """Delete a data export rule; whether there was one."""
        return bool(await self._do("delete_export_rule", workspace_id=workspace_id, name=name))

    async def write_export_rule(self, workspace_id: str, name: str, **fields: object) -> None:
        """Write a data export rule whole: `namespace_id`, `hub`, `tables`, `enabled`."""
        await self._do("write_export_rule", workspace_id=workspace_id, name=name, **fields)

    async def change_export_rule(self, workspace_id: str, name: str, **changes: object) -> None:
        """Change a data export rule: `enabled`, `tables`, `hub`."""
        await self._do("change_export_rule", workspace_id=workspace_id, name=name, **changes)

    async def delete_automation(self, automation_id: str) -> bool:
        """Delete a security automation; whether there was one."""
        return bool(await self._do("delete_automation", automation_id=automation_id))

    async def change_automation(self, automation_id: str, **properties: object) -> None:
        """Replace properties of a security automation, as `isEnabled`."""
        await self._do("change_automation", automation_id=automation_id, **properties)

    async def delete_hub(self, namespace: str, hub: str) -> bool:
        """Delete an event hub; whether there was one."""
        return bool(await self._do("delete_hub", namespace=namespace, hub=hub))

    async def change_hub(self, namespace: str, hub: str, **properties: object) -> None:
        """Replace properties of an event hub."""
        await self._do("change_hub", namespace=namespace, hub=hub, **properties)

    async def change_capture(self, namespace: str, hub: str, **changes: object) -> None:
        """Change fields of a hub's Capture, as `enabled`."""
        await self._do("change_capture", namespace=namespace, hub=hub, **changes)

    async def delete_namespace(self, namespace: str) -> None:
        """Begin to delete a namespace."""
        await self._do("delete_namespace", namespace=namespace)

    async def write_resource(self, resource_id: str, location: str, body: Json | None = None) -> None:
        """Make a resource, or write it again."""
        await self._do("write_resource", resource_id=resource_id, location=location, body=body)

    async def delete_resource(self, resource_id: str) -> bool:
        """Delete a resource; whether there was one."""
        return bool(await self._do("delete_resource", resource_id=resource_id))

    async def move_to_region(self, resource_id: str, location: str) -> None:
        """Delete a resource and make it anew in another region."""
        await self._do("move_to_region", resource_id=resource_id, location=location)

    async def make_anew(self, resource_id: str) -> None:
        """Delete a resource and make it again with the same ID."""
        await self._do("make_anew", resource_id=resource_id)

    async def move_to_group(self, resource_id: str, group_id: str) -> None:
        """Move a resource to another resource group."""
        await self._do("move_to_group", resource_id=resource_id, group_id=group_id)

    async def add_vault(self, subscription_id: str, group: str, name: str, location: str) -> str:
        """Make a key vault; gives back its ID."""
        where = {"subscription_id": subscription_id, "group": group, "name": name, "location": location}
        return str(await self._do("add_vault", **where))

    async def add_workspace(self, subscription_id: str, group: str, name: str, location: str) -> str:
        """Make a Log Analytics workspace; gives back its ID."""
        where = {"subscription_id": subscription_id, "group": group, "name": name, "location": location}
        return str(await self._do("add_workspace", **where))

    async def add_group(self, subscription_id: str, group: str, location: str) -> str:
        """Make a resource group; gives back its ID."""
        where = {"subscription_id": subscription_id, "group": group, "location": location}
        return str(await self._do("add_group", **where))

    async def set_provider(self, subscription_id: str, provider: str, *, registered: bool) -> None:
        """Register a resource provider in a subscription, or unregister it."""
        where = {"subscription_id": subscription_id, "provider": provider}
        await self._do("set_provider", **where, registered=registered)

    async def _do(self, change: str, **arguments: object) -> Any:  # noqa: ANN401 - what the change gives back
        raise NotImplementedError
