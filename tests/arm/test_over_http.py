"""The real SDK clients against the simulated Azure over HTTP."""

import time
from dataclasses import replace

import pytest
from azure.core.exceptions import HttpResponseError

from local.azure.estate import add_customer
from local.azure.faults import Fault, FaultKind
from local.azure.world import Delegation, Setting
from shared.arm.diagnostic_settings import get_setting, put_setting
from shared.arm.errors import (
    ArmError,
    LinkedNotAuthorizedError,
    NameTakenError,
    NotAuthenticatedError,
    NotAuthorizedError,
    NotDelegatedError,
    NotFoundError,
    ProviderNotRegisteredError,
    ReadOnlyError,
    RefusedError,
    SettingLimitError,
    SinkUsedError,
    ThrottledError,
    UnavailableError,
)
from shared.arm.event_hubs import (
    RULE_RIGHTS,
    begin_namespace,
    get_namespace,
    get_rule_rights,
    list_hubs,
    put_hub,
)
from shared.arm.subscriptions import list_subscriptions
from shared.model.diagnostics import ACTIVITY_LOG_CATEGORIES, Additions
from shared.model.hubs import CaptureSettings, HubShape, NamespaceShape
from shared.model.reasons import Reason
from shared.sync.drift import setting_drift
from tests.arm.scene import NAMESPACE, Scene
from tests.helpers.facts import GROUP, PROVIDER_TENANT


async def test_the_real_managed_identity_credential_gets_our_token(scene: Scene) -> None:
    await list_subscriptions(scene.arm)
    await list_subscriptions(scene.arm)
    assert scene.azure.counts.by_kind["GET /msi/token"] == 1


async def test_a_listing_holds_the_subscriptions_of_all_customers_and_our_own(scene: Scene) -> None:
    other = add_customer(scene.world, "fabrikam", 2, disabled=1)
    listed = {item.subscription_id: item for item in await list_subscriptions(scene.arm)}

    expected = {
        *scene.customer.delegated,
        *other.delegated,
        *other.disabled,
        scene.world.provider_subscription,
    }
    assert set(listed) == expected
    item = listed[other.disabled[0]]
    assert (item.tenant_id, item.state) == (other.tenant_id, "Disabled")
    assert item.managed_by == {PROVIDER_TENANT}
    assert item.name
    assert item.quota_id


async def test_ids_are_made_one_however_azure_spells_them(scene: Scene) -> None:
    subscription = scene.world.subscriptions[scene.customer.delegated[0]]
    delegation = replace(subscription.delegations[0], tenant_id=PROVIDER_TENANT)
    shouted = replace(
        subscription, subscription_id=subscription.subscription_id.upper(), delegations=(delegation,)
    )
    scene.world.add_subscription(shouted)
    listed = await list_subscriptions(scene.arm)
    ids = {(item.subscription_id, item.tenant_id) for item in listed}
    assert (scene.customer.delegated[0], scene.customer.tenant_id) in ids


@pytest.mark.parametrize("page_size", [1, 2, 3, 1000])
async def test_a_listing_goes_over_all_its_pages(scene: Scene, page_size: int) -> None:
    scene.world.page_size = page_size
    assert len(await list_subscriptions(scene.arm)) == 4


@pytest.mark.parametrize(
    "kind", [FaultKind.ERROR_500, FaultKind.ERROR_503, FaultKind.DROP, FaultKind.THROTTLED]
)
@pytest.mark.parametrize("page", [0, 1, 3])
async def test_a_page_that_fails_gives_no_partial_listing(scene: Scene, kind: FaultKind, page: int) -> None:
    scene.world.page_size = 1
    scene.break_calls(Fault(kind, path="/subscriptions", skip=page))
    with pytest.raises(UnavailableError if kind is not FaultKind.THROTTLED else ThrottledError):
        await list_subscriptions(scene.arm)


async def test_a_listing_with_an_item_that_cannot_be_read_is_no_listing(scene: Scene) -> None:
    subscription = scene.world.subscriptions[scene.customer.delegated[0]]
    scene.world.add_subscription(replace(subscription, tenant_id="no tenant"))
    with pytest.raises(UnavailableError, match="cannot be read"):
        await list_subscriptions(scene.arm)


async def test_a_setting_that_is_not_there_is_none(scene: Scene) -> None:
    assert await get_setting(scene.arm, scene.scope, "Lightkeeper-Logs") is None


async def test_a_setting_reads_back_as_it_was_written(scene: Scene) -> None:
    await scene.make_hub()
    await put_setting(scene.arm, scene.scope, scene.setting)
    found = await get_setting(scene.arm, scene.scope, "Lightkeeper-Logs")
    assert found is not None
    assert setting_drift(scene.setting, found) == []
    assert found.additions == Additions()


async def test_categories_that_are_switched_off_are_not_among_a_settings_categories(scene: Scene) -> None:
    await scene.make_hub()
    few = frozenset({"Administrative", "Security"})
    await put_setting(scene.arm, scene.scope, replace(scene.setting, categories=few))
    found = await get_setting(scene.arm, scene.scope, "Lightkeeper-Logs")
    assert found is not None
    assert found.categories == few


async def test_what_was_added_to_a_setting_is_seen_and_can_be_written_back(scene: Scene) -> None:
    await scene.make_hub()
    vault, *_ = scene.world.resources_of(scene.customer.delegated[0])
    scene.world.write_resource(replace(vault, location="westeurope"))
    scope = vault.resource_id
    properties = {
        "workspaceId": "/w",
        "logAnalyticsDestinationType": "Dedicated",
        "storageAccountId": "/a",
        "serviceBusRuleId": "/b",
        "marketplacePartnerId": "/p",
        "metrics": [{"category": "AllMetrics", "enabled": True}, {"category": "Others", "enabled": False}],
        "logs": [{"category": "AuditEvent", "enabled": True}],
    }
    theirs = Setting("Lightkeeper-Logs", properties, frozenset({"AuditEvent"}))
    scene.world.settings[scope.lower()] = {"lightkeeper-logs": theirs}
    found = await get_setting(scene.arm, scope, "Lightkeeper-Logs")
    assert found is not None
    assert (found.rule_id, found.hub) == ("", "")
    assert found.additions == Additions("/w", "Dedicated", "/a", "/b", "/p", frozenset({"AllMetrics"}))

    ours = replace(scene.setting, categories=frozenset({"AuditEvent"}), additions=found.additions)
    await put_setting(scene.arm, scope, ours)

    after = scene.world.setting(scope, "Lightkeeper-Logs")
    assert after is not None
    kept = {key: after.properties[key] for key in properties if key not in ("logs", "metrics")}
    assert kept == {key: properties[key] for key in kept}
    assert [each["category"] for each in after.properties["metrics"]] == ["AllMetrics"]


async def test_the_setting_of_a_subscription_that_is_not_there_is_none(scene: Scene) -> None:
    nowhere = "/subscriptions/00000000-0000-4000-8000-00000000dead"
    assert await get_setting(scene.arm, nowhere, "Lightkeeper-Logs") is None


def _five_settings(scene: Scene) -> None:
    theirs = Setting("theirs", {"workspaceId": "/w", "logs": []}, frozenset())
    scene.world.settings[scene.scope] = {f"theirs-{number}": theirs for number in range(5)}


def _used_sink(scene: Scene) -> None:
    properties = {
        "eventHubAuthorizationRuleId": scene.setting.rule_id,
        "eventHubName": scene.setting.hub,
        "logs": [{"category": name, "enabled": True} for name in sorted(ACTIVITY_LOG_CATEGORIES)],
    }
    scene.world.settings[scene.scope] = {"theirs": Setting("theirs", properties, ACTIVITY_LOG_CATEGORIES)}


def _unregistered(scene: Scene) -> None:
    scene.world.change_subscription(scene.customer.delegated[0], providers=frozenset())


def _disabled(scene: Scene) -> None:
    scene.world.change_subscription(scene.customer.delegated[0], state="Disabled")


def _reader_only(scene: Scene) -> None:
    reader = Delegation(PROVIDER_TENANT, frozenset({(scene.world.app.object_id, "Reader")}))
    scene.world.change_subscription(scene.customer.delegated[0], delegations=(reader,))


def _no_right_on_the_namespace(scene: Scene) -> None:
    scene.world.grants.clear()


def _undelegated(scene: Scene) -> None:
    scene.world.change_subscription(scene.customer.delegated[0], delegations=())


def _no_hub(scene: Scene) -> None:
    scene.world.hubs.clear()


def _no_subscription(scene: Scene) -> None:
    del scene.world.subscriptions[scene.customer.delegated[0]]


def _token_has_ended(scene: Scene) -> None:
    scene.world.clock.move(90_000)


@pytest.mark.parametrize(
    ("break_it", "kind", "reason"),
    [
        (_five_settings, SettingLimitError, Reason.SETTING_LIMIT_REACHED),
        (_used_sink, SinkUsedError, Reason.SINK_ALREADY_USED),
        (_unregistered, ProviderNotRegisteredError, Reason.PROVIDER_NOT_REGISTERED),
        (_disabled, ReadOnlyError, Reason.SUBSCRIPTION_DISABLED),
        (_reader_only, NotAuthorizedError, Reason.ROLE_MISSING),
        (_no_right_on_the_namespace, LinkedNotAuthorizedError, Reason.LINKED_ROLE_MISSING),
        (_undelegated, NotDelegatedError, Reason.NOT_DELEGATED),
        (_no_hub, RefusedError, Reason.REFUSED),
        (_no_subscription, NotFoundError, Reason.REFUSED),
        (_token_has_ended, NotAuthenticatedError, Reason.IDENTITY_REFUSED),
    ],
)
async def test_each_refusal_of_a_setting_becomes_its_error(
    scene: Scene, break_it: object, kind: type[ArmError], reason: Reason
) -> None:
    await scene.make_hub()
    assert callable(break_it)
    break_it(scene)

    with pytest.raises(ArmError) as raised:
        await put_setting(scene.arm, scene.scope, scene.setting)

    assert type(raised.value) is kind
    assert raised.value.reason is reason
    assert raised.value.code
    assert isinstance(raised.value.__cause__, HttpResponseError)


async def test_no_resource_provider_is_ever_registered_by_the_sdk(scene: Scene) -> None:
    await scene.make_hub()
    _unregistered(scene)
    before = scene.azure.counts.by_kind.total()
    with pytest.raises(ProviderNotRegisteredError):
        await put_setting(scene.arm, scene.scope, scene.setting)
    assert scene.azure.counts.by_kind.total() == before + 1
    assert scene.world.subscriptions[scene.customer.delegated[0]].providers == frozenset()
    assert not [kind for kind in scene.azure.counts.by_kind if kind.startswith("POST")]


@pytest.mark.parametrize("seconds", [1, 30])
async def test_a_429_surfaces_at_once_with_the_time_to_stay_away(scene: Scene, seconds: int) -> None:
    scene.break_calls(Fault(FaultKind.THROTTLED, path="/diagnosticSettings/", seconds=seconds))
    begin = time.monotonic()

    with pytest.raises(ThrottledError) as raised:
        await get_setting(scene.arm, scene.scope, "Lightkeeper-Logs")

    assert time.monotonic() - begin < 0.9
    assert raised.value.retry_after == seconds
    assert scene.azure.faults.state()["fault"]["met"] == 1


@pytest.mark.parametrize("kind", [FaultKind.ERROR_500, FaultKind.ERROR_503])
async def test_a_servers_error_is_not_tried_again_by_the_sdk(scene: Scene, kind: FaultKind) -> None:
    scene.break_calls(Fault(kind, path="/diagnosticSettings/"))
    with pytest.raises(UnavailableError):
        await get_setting(scene.arm, scene.scope, "Lightkeeper-Logs")
    assert scene.azure.faults.state()["fault"]["met"] == 1


async def _read_often(scene: Scene) -> None:
    for _ in range(300):
        await get_setting(scene.arm, scene.scope, "x")


async def test_a_bucket_that_is_nearly_empty_is_left_alone(scene: Scene) -> None:
    # Azure's clock stands still here, so its bucket of 250 reads does not refill.
    with pytest.raises(ThrottledError, match="held back") as raised:
        await _read_often(scene)

    assert 0 < raised.value.retry_after < 10
    assert 235 <= scene.azure.counts.by_subscription[scene.customer.delegated[0]] <= 250
    assert not [status for _, status in scene.azure.counts.by_status if status == 429]
    another = f"/subscriptions/{scene.customer.delegated[1]}"
    assert await get_setting(scene.arm, another, "x") is None


async def test_a_namespace_that_is_not_there_is_none(scene: Scene) -> None:
    assert await get_namespace(scene.arm, GROUP, NAMESPACE) is None


async def test_a_namespace_is_begun_without_waiting_for_it(scene: Scene) -> None:
    (identity,) = scene.world.identities
    shape = NamespaceShape("westeurope", "Standard", frozenset({identity}))
    begin = time.monotonic()

    await begin_namespace(scene.arm, GROUP, NAMESPACE, shape)

    assert time.monotonic() - begin < 0.9
    found = await get_namespace(scene.arm, GROUP, NAMESPACE)
    assert found == replace(shape, state="Created")
    scene.world.clock.move(scene.world.namespace_seconds)
    assert await get_namespace(scene.arm, GROUP, NAMESPACE) == replace(shape, state="Succeeded")


async def test_a_name_that_a_stranger_holds_is_taken(scene: Scene) -> None:
    scene.world.taken_names.add(NAMESPACE)
    (identity,) = scene.world.identities
    with pytest.raises(NameTakenError):
        await begin_namespace(
            scene.arm, GROUP, NAMESPACE, NamespaceShape("westeurope", "Standard", frozenset({identity}))
        )


async def test_the_rule_has_the_rights_that_azure_monitor_asks_for(scene: Scene) -> None:
    (identity,) = scene.world.identities
    await begin_namespace(
        scene.arm, GROUP, NAMESPACE, NamespaceShape("westeurope", "Standard", frozenset({identity}))
    )
    scene.world.clock.move(scene.world.namespace_seconds)
    assert await get_rule_rights(scene.arm, GROUP, NAMESPACE) == frozenset()
    await scene.make_hub()
    assert await get_rule_rights(scene.arm, GROUP, NAMESPACE) == RULE_RIGHTS


async def test_a_hub_with_capture_reads_back_as_it_was_written(scene: Scene) -> None:
    await scene.make_hub()
    (identity,) = scene.world.identities
    (account,) = scene.world.storage_accounts
    shape = HubShape(4, 48, CaptureSettings(60, 10_485_760, account, "capture", identity))
    await put_hub(scene.arm, GROUP, NAMESPACE, "fabrikam", shape)
    assert (await list_hubs(scene.arm, GROUP, NAMESPACE))["fabrikam"] == shape


@pytest.mark.parametrize("page_size", [1, 2, 100])
async def test_hubs_are_listed_over_all_pages(scene: Scene, page_size: int) -> None:
    await scene.make_hub()
    await put_hub(scene.arm, GROUP, NAMESPACE, "fabrikam", HubShape(1, 24, None))
    await put_hub(scene.arm, GROUP, NAMESPACE, "northwind", HubShape(1, 24, None))
    scene.world.page_size = page_size
    assert set(await list_hubs(scene.arm, GROUP, NAMESPACE)) == {"contoso", "fabrikam", "northwind"}


async def test_a_listing_of_hubs_with_a_failing_page_is_no_listing(scene: Scene) -> None:
    await scene.make_hub()
    await put_hub(scene.arm, GROUP, NAMESPACE, "fabrikam", HubShape(1, 24, None))
    scene.world.page_size = 1
    scene.break_calls(Fault(FaultKind.ERROR_503, "GET", "/eventhubs", skip=1))
    with pytest.raises(UnavailableError):
        await list_hubs(scene.arm, GROUP, NAMESPACE)


async def test_what_the_simulated_azure_does_not_know_is_an_error_and_never_an_empty_success(
    scene: Scene,
) -> None:
    with pytest.raises(UnavailableError, match="does not know"):
        await get_setting(scene.arm, f"{scene.scope}/providers/Microsoft.Unknown", "x")
