"""What happens in customers' subscriptions: named scenarios that write the activity log.

Each takes a `Story`, adds the entries that Azure would write, and changes the world where the call
would. Patterns after real logs: Accept chains, several attempts under one key, a second Success of a
long operation, Success without Start, one correlation ID over a whole deployment.
"""

from collections.abc import Callable

from local.azure.story import Story
from local.azure.world import Resource

type Scenario = Callable[[Story], None]


def deployment(story: Story) -> None:
    """A template deployment: one correlation ID over five operations, with Accept chains."""
    correlation, group = story.guid(), story.group()
    name = story.word()
    providers = f"{group}/providers"
    whole = story.operation(
        "Microsoft.Resources/deployments/write",
        f"{providers}/Microsoft.Resources/deployments/deploy-{name}",
        correlation,
    )
    story.add(whole, 40, "Started", properties={"requestbody": {"properties": {"mode": "Incremental"}}})
    story.add(whole, 39.2, "Accepted", "Created")
    for offset, kind in ((36, "networkSecurityGroups"), (35, "publicIPAddresses"), (33, "networkInterfaces")):
        part = story.operation(
            f"Microsoft.Network/{kind}/write", f"{providers}/Microsoft.Network/{kind}/{name}", correlation
        )
        body: dict[str, object] = {"location": "westeurope", "tags": {}, "properties": {}}
        story.add(part, offset, "Started", properties={"requestbody": body})
        story.add(
            part, offset - 0.8, "Accepted", "Created", properties={"responseBody": {"name": name, **body}}
        )
        if kind != "networkInterfaces":
            story.add(part, offset - 6, "Succeeded", "OK", job=True)
    machine = story.operation(
        "Microsoft.Compute/virtualMachines/write",
        f"{providers}/Microsoft.Compute/virtualMachines/vm-{name}",
        correlation,
    )
    story.add(machine, 25, "Started", properties={"requestbody": {"location": "westeurope"}})
    for offset in (24, 20, 12):
        story.add(machine, offset, "Accepted", "Created" if offset == 24 else "OK")  # noqa: PLR2004
    story.add(machine, 4, "Succeeded", "OK", job=True)
    audit = story.operation(
        "Microsoft.Authorization/policies/audit/action", machine.resource_id, correlation, "Policy"
    )
    story.add(
        audit, 24.5, "Succeeded", properties={"policies": "[]", "isComplianceCheck": "False"}, level="Warning"
    )
    story.add(whole, 1, "Succeeded", "Created", job=True)


def key_vault_create(story: Story) -> None:
    """A new key vault: Start, Success, and the second Success of the long operation."""
    vault = f"{story.group()}/providers/Microsoft.KeyVault/vaults/kv-{story.word()}"
    story.writer.world.write_resource(Resource(vault, "Microsoft.KeyVault/vaults", "westeurope"))
    write = story.operation("Microsoft.KeyVault/vaults/write", vault)
    body = {"location": "westeurope", "properties": {"sku": {"family": "A", "name": "standard"}}}
    story.add(write, 31, "Started", properties={"requestbody": body})
    story.add(write, 30, "Succeeded", "Created", properties={"responseBody": {"id": vault, **body}})
    story.add(write, 0.5, "Succeeded", "OK", job=True)


def key_vault_update(story: Story) -> None:
    """A key vault's network rules are opened."""
    write = story.operation("Microsoft.KeyVault/vaults/write", _vault(story))
    body = {"properties": {"networkAcls": {"defaultAction": "Allow", "bypass": "AzureServices"}}}
    story.add(write, 2, "Started", properties={"requestbody": body})
    story.add(write, 1, "Succeeded", "OK", properties={"responseBody": {"id": write.resource_id, **body}})


def access_policy(story: Story) -> None:
    """Somebody gives herself rights on a vault's secrets."""
    change = story.operation(
        "Microsoft.KeyVault/vaults/accessPolicies/write", f"{_vault(story)}/accessPolicies/add"
    )
    policy = {"objectId": story.actor.principal.object_id, "permissions": {"secrets": ["get", "list"]}}
    body = {"properties": {"accessPolicies": [policy]}}
    story.add(change, 1.4, "Started", properties={"requestbody": body})
    story.add(change, 0.9, "Succeeded", "OK", properties={"responseBody": body})


def key_vault_delete(story: Story) -> None:
    """A key vault goes, and its diagnostic settings stay behind in Azure Monitor."""
    vault = _vault(story)
    delete = story.operation("Microsoft.KeyVault/vaults/delete", vault)
    story.add(delete, 5, "Started")
    story.add(delete, 4, "Succeeded", "OK")
    story.writer.world.remove_resource(vault)


def role_assignment(story: Story) -> None:
    """A role is given away."""
    scope = f"/subscriptions/{story.subscription.subscription_id}"
    assignment = f"{scope}/providers/Microsoft.Authorization/roleAssignments/{story.guid()}"
    write = story.operation("Microsoft.Authorization/roleAssignments/write", assignment)
    body = {"properties": {"principalId": story.guid(), "roleDefinitionId": f"{scope}/owner"}}
    story.add(write, 2, "Started", properties={"requestbody": body})
    story.add(write, 1.2, "Succeeded", "Created", properties={"responseBody": body})


def refused(story: Story) -> None:
    """A call without the right to it: Start, then Failure Forbidden."""
    call = story.operation("Microsoft.KeyVault/vaults/delete", _vault(story))
    message = {"error": {"code": "AuthorizationFailed", "message": "The client does not have authorization."}}
    story.add(call, 1, "Started")
    story.add(call, 0.8, "Failed", "Forbidden", properties={"statusMessage": message})


def failed(story: Story) -> None:
    """A call that Azure cannot do: not found, or in conflict."""
    call = story.operation(
        "Microsoft.Storage/storageAccounts/listKeys/action",
        f"{story.group()}/providers/Microsoft.Storage/storageAccounts/st{story.word()}",
    )
    code, status = story.writer.random.choice((("ResourceNotFound", "NotFound"), ("Conflict", "Conflict")))
    story.add(call, 2, "Started")
    message = {"error": {"code": code, "message": "The operation could not be completed."}}
    story.add(call, 1.5, "Failed", status, properties={"statusMessage": message})


def retried(story: Story) -> None:
    """Five attempts under one key within seventeen seconds: four fail, the last succeeds."""
    call = story.operation(
        "Microsoft.Network/virtualNetworks/subnets/write",
        f"{story.group()}/providers/Microsoft.Network/virtualNetworks/vnet/subnets/{story.word()}",
    )
    for attempt in range(5):
        begun = 17 - attempt * 4
        story.add(call, begun, "Started", properties={"requestbody": {"attempt": attempt}})
        if attempt < 4:  # noqa: PLR2004 - the fifth succeeds
            message = {
                "error": {
                    "code": "AnotherOperationInProgress",
                    "message": "Another operation is in progress.",
                }
            }
            story.add(call, begun - 0.6, "Failed", "Conflict", properties={"statusMessage": message})
        else:
            story.add(call, begun - 0.6, "Succeeded", "OK", properties={"responseBody": {}})


def cascaded_delete(story: Story) -> None:
    """A resource group goes and takes its resources along: their Successes have no Start."""
    correlation = story.guid()
    group = f"/subscriptions/{story.subscription.subscription_id}/resourceGroups/rg-{story.word()}"
    whole = story.operation("Microsoft.Resources/subscriptions/resourcegroups/delete", group, correlation)
    story.add(whole, 20, "Started")
    story.add(whole, 19.5, "Accepted", "Accepted")
    for number in range(3):
        child = f"{group}/providers/Microsoft.Network/networkInterfaces/nic-{number}"
        part = story.operation("Microsoft.Network/networkInterfaces/delete", child, correlation)
        story.add(part, 15 - number, "Succeeded", "OK", job=True)
    story.add(whole, 1, "Succeeded", "OK", job=True)


def policy(story: Story) -> None:
    """Azure Policy looks at a vault."""
    look = story.operation(
        "Microsoft.Authorization/policies/auditIfNotExists/action", _vault(story), "", "Policy"
    )
    story.add(
        look, 1, "Succeeded", properties={"policies": "[]", "isComplianceCheck": "True"}, level="Warning"
    )


def autoscale(story: Story) -> None:
    """A scale set grows by itself."""
    story.event(
        "Autoscale",
        1,
        operationName="Microsoft.Insights/AutoscaleSettings/Scaleup/Action",
        resourceId=f"{story.group()}/providers/Microsoft.Insights/autoscalesettings/scale".upper(),
        resultType="Succeeded.",
        properties={"eventCategory": "Autoscale", "eventProperties": {"OldInstancesCount": "2"}},
    )


def service_health(story: Story) -> None:
    """Azure has an incident."""
    story.event(
        "ServiceHealth",
        1,
        operationName="Microsoft.ServiceHealth/incident/action",
        resourceId=f"/SUBSCRIPTIONS/{story.subscription.subscription_id.upper()}",
        resultType="Active",
        properties={
            "eventCategory": "ServiceHealth",
            "eventProperties": {"stage": "Active", "impactStartTime": ""},
        },
    )


def resource_health(story: Story) -> None:
    """A resource is unwell."""
    story.event(
        "ResourceHealth",
        1,
        operationName="Microsoft.Resourcehealth/healthevent/Updated/action",
        resourceId=_vault(story).upper(),
        resultType="Updated",
        properties={"eventCategory": "ResourceHealth", "eventProperties": {"title": "Unavailable"}},
    )


def alert(story: Story) -> None:
    """An activity-log alert calls its action group."""
    rule = f"{story.group()}/providers/Microsoft.Insights/ActivityLogAlerts/watch"
    about = {"subscriptionId": story.subscription.subscription_id, "status": "Started"}
    story.event(
        "Alert",
        1,
        operationName="Microsoft.Insights/ActivityLogAlerts/Activated/action",
        resourceId=rule.upper(),
        resultType="Succeeded.",
        resultDescription="Alert: watch called on action groups : mail",
        properties={"eventCategory": "Alert", "eventProperties": about},
    )


SCENARIOS: dict[str, Scenario] = {
    scenario.__name__: scenario
    for scenario in (
        deployment,
        key_vault_create,
        key_vault_update,
        access_policy,
        key_vault_delete,
        role_assignment,
        refused,
        failed,
        retried,
        cascaded_delete,
        policy,
        autoscale,
        service_health,
        resource_health,
        alert,
    )
}
"""Every scenario by its name."""


def _vault(story: Story) -> str:
    """ID of one of the subscription's vaults, or of one that might have been."""
    vaults = sorted(
        resource.resource_id
        for resource in story.writer.world.resources_of(story.subscription.subscription_id)
        if resource.resource_type == "Microsoft.KeyVault/vaults"
    )
    return vaults[0] if vaults else f"{story.group()}/providers/Microsoft.KeyVault/vaults/kv-old"
