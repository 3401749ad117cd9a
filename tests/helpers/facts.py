"""Facts with everything filled in; a test names only what it is about."""

from datetime import UTC, datetime, timedelta

from shared.model.diagnostics import ACTIVITY_LOG_CATEGORIES, NOTHING_ADDED, Additions, DiagnosticSetting
from shared.model.hubs import HubAssignment, HubState
from shared.model.integration import Integration, IntegrationStatus
from shared.model.jobs import Cause, Job, Phase, Step, cycle_stamp
from shared.model.role import Role
from shared.model.subscription import ListedSubscription, Subscription
from shared.model.upkeep import Coverage, Upkeep
from shared.settings import Settings

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
PROVIDER_TENANT = "99999999-0000-4000-8000-000000000001"
PROVIDER_SUBSCRIPTION = "99999999-0000-4000-8000-000000000002"
CUSTOMER_TENANT = "aaaaaaaa-0000-4000-8000-000000000001"
OTHER_TENANT = "bbbbbbbb-0000-4000-8000-000000000001"
INTEGRATION = "cccccccc-0000-4000-8000-000000000001"
GROUP = "lightkeeper-hubs"
STORAGE_ID = (
    f"/subscriptions/{PROVIDER_SUBSCRIPTION}/resourcegroups/{GROUP}"
    "/providers/microsoft.storage/storageaccounts/lightkeeper"
)
IDENTITY_ID = (
    f"/subscriptions/{PROVIDER_SUBSCRIPTION}/resourcegroups/{GROUP}"
    "/providers/microsoft.managedidentity/userassignedidentities/capture"
)
ENVIRONMENT = {
    "LightkeeperStorage": "UseDevelopmentStorage=true",
    "LIGHTKEEPER_PROVIDER_TENANT_ID": PROVIDER_TENANT,
    "LIGHTKEEPER_PROVIDER_SUBSCRIPTION_ID": PROVIDER_SUBSCRIPTION,
    "LIGHTKEEPER_HUB_RESOURCE_GROUP": GROUP,
    "LIGHTKEEPER_CAPTURE_STORAGE_ID": STORAGE_ID,
    "LIGHTKEEPER_CAPTURE_IDENTITY_ID": IDENTITY_ID,
}
"""The least that the app needs to be told."""


def a_guid(number: int) -> str:
    """A GUID per number; those of larger numbers sort later."""
    return f"00000000-0000-4000-8000-{number:012d}"


def stamp(number: int) -> str:
    """The stamp of the listing of that number."""
    return cycle_stamp(NOW + timedelta(minutes=number))


def settings(**variables: str) -> Settings:
    """Settings from the least environment and further variables."""
    return Settings.from_environment({**ENVIRONMENT, **variables})


def an_integration(
    *,
    id: str = INTEGRATION,  # noqa: A002 - as the field is called
    customer: str = "contoso",
    tenant_id: str = CUSTOMER_TENANT,
    home_region: str = "westeurope",
    subscription_cap: int = 2000,
    workspace_resource_id: str | None = None,
    status: IntegrationStatus = IntegrationStatus.PROVISIONING,
    created_at: datetime = NOW,
) -> Integration:
    """An integration."""
    return Integration(
        id=id,
        customer=customer,
        tenant_id=tenant_id,
        display_name=customer.title(),
        home_region=home_region,
        management_group_id=None,
        workspace_resource_id=workspace_resource_id,
        subscription_cap=subscription_cap,
        status=status,
        created_at=created_at,
    )


def a_listed(
    number: int = 1,
    *,
    tenant_id: str = CUSTOMER_TENANT,
    state: str = "Enabled",
    delegated: bool = True,
    name: str = "",
) -> ListedSubscription:
    """An item of `GET /subscriptions`."""
    return ListedSubscription(
        subscription_id=a_guid(number),
        tenant_id=tenant_id,
        name=name or f"Subscription {number}",
        state=state,
        quota_id="EnterpriseAgreement_2014-09-01",
        managed_by=frozenset({PROVIDER_TENANT} if delegated else ()),
    )


def a_subscription(
    number: int = 1,
    *,
    integration_id: str = INTEGRATION,
    coverage: Coverage = Coverage.PENDING,
    first_seen: str = stamp(0),
    last_seen: str = stamp(0),
    writes: int = 0,
    written_at: datetime | None = None,
    verified_at: datetime | None = None,
    handled: str = "",
) -> Subscription:
    """A subscription as we know it."""
    return Subscription(
        integration_id=integration_id,
        subscription_id=a_guid(number),
        name=f"Subscription {number}",
        state="Enabled",
        quota_id="EnterpriseAgreement_2014-09-01",
        first_seen=first_seen,
        last_seen=last_seen,
        delegated_since=NOW,
        upkeep=Upkeep(
            coverage=coverage,
            writes=writes,
            written_at=written_at,
            verified_at=verified_at,
            handled=handled,
        ),
    )


def an_assignment(
    *,
    region: str = "westeurope",
    customer: str = "contoso",
    integration_id: str = INTEGRATION,
    shard: int = 1,
    state: HubState = HubState.ASSIGNED,
    verified_at: datetime | None = None,
) -> HubAssignment:
    """The hub of a customer in a region."""
    return HubAssignment(
        region=region,
        customer=customer,
        integration_id=integration_id,
        shard=shard,
        namespace=f"lightkeeper-{region}-{shard}",
        state=state,
        assigned_at=NOW,
        verified_at=verified_at,
    )


def a_setting(
    *,
    rule_id: str = "/subscriptions/s/resourceGroups/g/providers/Microsoft.EventHub/namespaces/n/"
    "authorizationRules/diagnostics",
    hub: str = "contoso",
    categories: frozenset[str] = ACTIVITY_LOG_CATEGORIES,
    additions: Additions = NOTHING_ADDED,
) -> DiagnosticSetting:
    """A diagnostic setting of ours."""
    return DiagnosticSetting("Lightkeeper-Logs", rule_id, hub, categories, additions)


def a_job(
    *,
    step: Step = Step.SUBSCRIPTION_SETTINGS,
    phase: Phase = Phase.TARGET,
    cycle: str = stamp(0),
    cause: Cause = Cause.CYCLE,
    integration_id: str = INTEGRATION,
    target: str = a_guid(1),
    attempt: int = 0,
) -> Job:
    """A job."""
    return Job(step, phase, cycle, cause, integration_id, target, attempt)


def a_role(
    name: str = "Reader",
    *,
    id: str = "acdd72a7-3385-48ef-bd42-f606fba81ae7",  # noqa: A002 - as the field is called
    built_in: bool = True,
    actions: tuple[str, ...] = ("*/read",),
    not_actions: tuple[str, ...] = (),
    data_actions: tuple[str, ...] = (),
) -> Role:
    """A role that may be delegated."""
    return Role(id, name, built_in, actions, not_actions, data_actions)
