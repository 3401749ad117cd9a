"""What stands in the way is named with its one reason, shown as a problem, and over once it is mended."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from local.azure.estate import Customer, add_customer
from local.azure.faults import Fault, FaultKind
from local.azure.world import Delegation, Setting
from shared.arm.event_hubs import rule_id
from shared.model.integration import Integration
from shared.model.jobs import Step
from shared.model.reasons import Reason
from shared.model.subscription import Subscription
from shared.model.upkeep import Coverage
from shared.sync.upkeep import MOST_WRITES
from tests.helpers.lab import Lab

_NAME = "Lightkeeper-Logs"


@dataclass
class _Scene:
    """A lab whose hub stands, and a customer whose single subscription is not yet configured."""

    lab: Lab
    customer: Customer
    integration: Integration

    @property
    def subscription_id(self) -> str:
        return self.customer.delegated[0]

    @property
    def scope(self) -> str:
        return f"/subscriptions/{self.subscription_id}"

    async def row(self) -> Subscription:
        return await self.lab.row(self.integration, self.subscription_id)

    async def assert_blocked(self, reason: Reason) -> None:
        row = await self.row()
        assert (row.upkeep.coverage, row.upkeep.reason) == (Coverage.BLOCKED, reason)
        assert row.upkeep.detail
        (problem,) = await self.lab.problems(self.integration)
        assert (problem.reason, problem.where) == (reason, self.subscription_id)
        assert problem.detail == row.upkeep.detail

    async def assert_healed(self) -> None:
        row = await self.row()
        assert (row.upkeep.coverage, row.upkeep.reason, row.upkeep.detail) == (Coverage.CONFIGURED, None, "")
        assert await self.lab.problems(self.integration) == []
        assert self.lab.world.setting(self.scope, _NAME) is not None


@pytest.fixture
async def scene(lab: Lab) -> _Scene:
    customer = add_customer(lab.world, "contoso", 1)
    integration = await lab.integrate("contoso", customer.tenant_id)
    await lab.cycle(Step.EVENT_HUBS)
    return _Scene(lab, customer, integration)


def _foreign(name: str, **properties: object) -> Setting:
    return Setting(name, {"workspaceId": f"/{name}", "logs": [], **properties}, frozenset())


def _fill_with_five(scene: _Scene) -> None:
    named = {f"theirs-{number}": _foreign(f"theirs-{number}") for number in range(5)}
    scene.lab.world.settings[scene.scope] = named


def _free_a_place(scene: _Scene) -> None:
    del scene.lab.world.settings[scene.scope]["theirs-3"]


def _use_our_sink(scene: _Scene) -> None:
    settings = scene.lab.context.settings
    our_rule = rule_id(
        settings.provider_subscription_id, settings.hub_resource_group, "lightkeeper-westeurope-1"
    )
    theirs = Setting(
        "theirs",
        {
            "eventHubAuthorizationRuleId": our_rule,
            "eventHubName": "contoso",
            "logs": [{"category": "Security", "enabled": True}],
        },
        frozenset({"Security"}),
    )
    scene.lab.world.settings[scene.scope] = {"theirs": theirs}


def _free_our_sink(scene: _Scene) -> None:
    scene.lab.world.settings[scene.scope].clear()


def _unregister(scene: _Scene) -> None:
    scene.lab.world.change_subscription(scene.subscription_id, providers=frozenset())


def _register(scene: _Scene) -> None:
    scene.lab.world.change_subscription(scene.subscription_id, providers=frozenset({"microsoft.insights"}))


def _take_the_role(scene: _Scene) -> None:
    world = scene.lab.world
    reader_only = Delegation(world.provider_tenant, frozenset({(world.app.object_id, "Reader")}))
    world.change_subscription(scene.subscription_id, delegations=(reader_only,))


def _give_the_role(scene: _Scene) -> None:
    world = scene.lab.world
    roles = frozenset({(world.app.object_id, role) for role in ("Reader", "Log Analytics Contributor")})
    world.change_subscription(scene.subscription_id, delegations=(Delegation(world.provider_tenant, roles),))


def _take_the_namespace(scene: _Scene) -> None:
    world = scene.lab.world
    world.grants = {(who, "Reader" if role == "Contributor" else role, at) for who, role, at in world.grants}


def _give_the_namespace(scene: _Scene) -> None:
    world = scene.lab.world
    group = f"/subscriptions/{world.provider_subscription}/resourcegroups/lightkeeper-hubs"
    world.grants.add((world.app.object_id, "Contributor", group))


@pytest.mark.parametrize(
    ("reason", "break_it", "mend_it"),
    [
        pytest.param(Reason.SETTING_LIMIT_REACHED, _fill_with_five, _free_a_place, id="five settings"),
        pytest.param(Reason.SINK_ALREADY_USED, _use_our_sink, _free_our_sink, id="sink in use"),
        pytest.param(Reason.PROVIDER_NOT_REGISTERED, _unregister, _register, id="not registered"),
        pytest.param(Reason.ROLE_MISSING, _take_the_role, _give_the_role, id="no role"),
        pytest.param(
            Reason.LINKED_ROLE_MISSING,
            _take_the_namespace,
            _give_the_namespace,
            id="no linked role",
        ),
    ],
)
async def test_what_azure_refuses_is_a_problem_until_it_is_mended(
    scene: _Scene, reason: Reason, break_it: Callable[[_Scene], None], mend_it: Callable[[_Scene], None]
) -> None:
    break_it(scene)
    await scene.lab.cycle(Step.SUBSCRIPTIONS, Step.SUBSCRIPTION_SETTINGS)
    await scene.assert_blocked(reason)

    mend_it(scene)
    await scene.lab.cycle(Step.SUBSCRIPTIONS, Step.SUBSCRIPTION_SETTINGS)
    await scene.assert_healed()


async def test_a_problem_keeps_the_moment_it_began(scene: _Scene) -> None:
    _unregister(scene)
    await scene.lab.cycle(Step.SUBSCRIPTIONS, Step.SUBSCRIPTION_SETTINGS)
    (first,) = await scene.lab.problems(scene.integration)

    await scene.lab.cycle(Step.SUBSCRIPTION_SETTINGS)
    await scene.lab.cycle(Step.SUBSCRIPTION_SETTINGS)

    (last,) = await scene.lab.problems(scene.integration)
    assert last == first


async def test_one_reason_takes_the_place_of_another(scene: _Scene) -> None:
    _unregister(scene)
    await scene.lab.cycle(Step.SUBSCRIPTIONS, Step.SUBSCRIPTION_SETTINGS)
    _register(scene)
    _fill_with_five(scene)

    await scene.lab.cycle(Step.SUBSCRIPTION_SETTINGS)

    await scene.assert_blocked(Reason.SETTING_LIMIT_REACHED)


async def test_our_own_setting_among_five_is_no_hindrance(scene: _Scene) -> None:
    await scene.lab.cycle()
    named = scene.lab.world.settings[scene.scope]
    named |= {f"theirs-{number}": _foreign(f"theirs-{number}") for number in range(4)}
    ours = named[_NAME.lower()]
    named[_NAME.lower()] = Setting(_NAME, {**ours.properties, "logs": []}, frozenset())

    await scene.lab.cycle(seconds=3601)

    await scene.assert_healed()


async def test_a_disabled_subscription_is_excluded_and_covered_once_it_is_enabled(scene: _Scene) -> None:
    scene.lab.world.change_subscription(scene.subscription_id, state="Disabled")
    await scene.lab.cycle()
    row = await scene.row()
    assert (row.upkeep.coverage, row.upkeep.reason) == (Coverage.EXCLUDED, Reason.SUBSCRIPTION_DISABLED)
    (problem,) = await scene.lab.problems(scene.integration)
    assert problem.reason is Reason.SUBSCRIPTION_DISABLED

    scene.lab.world.change_subscription(scene.subscription_id, state="Enabled")
    await scene.lab.cycle()
    await scene.assert_healed()


async def test_a_subscription_that_is_disabled_between_listing_and_writing_has_the_same_reason(
    scene: _Scene,
) -> None:
    await scene.lab.context.start(Step.SUBSCRIPTIONS, scene.lab.job(Step.SUBSCRIPTIONS).cause)
    await scene.lab._round(Step.SUBSCRIPTIONS)
    scene.lab.world.change_subscription(scene.subscription_id, state="Disabled")
    await scene.lab.drain()
    await scene.assert_blocked(Reason.SUBSCRIPTION_DISABLED)


async def test_azure_that_answers_and_keeps_nothing_is_believed_only_so_often(scene: _Scene) -> None:
    lab = scene.lab
    lab.azure.faults.switch_on("nothing", Fault(FaultKind.KEEP_NOTHING, "PUT", "/diagnosticSettings/"))

    await lab.cycle(Step.SUBSCRIPTIONS)

    await scene.assert_blocked(Reason.KEEPS_NOTHING)
    assert lab.calls("PUT", "/diagnosticSettings/") == MOST_WRITES
    assert lab.calls("GET", "/diagnosticSettings/") == MOST_WRITES

    lab.azure.faults.switch_off("nothing")
    await lab.cycle(Step.SUBSCRIPTION_SETTINGS)
    await scene.assert_healed()
    assert (await scene.row()).upkeep.writes == 0


async def test_azure_that_keeps_nothing_once_is_written_to_again(scene: _Scene) -> None:
    fault = Fault(FaultKind.KEEP_NOTHING, "PUT", "/diagnosticSettings/", calls=1)
    scene.lab.azure.faults.switch_on("nothing", fault)

    await scene.lab.cycle(Step.SUBSCRIPTIONS)

    await scene.assert_healed()
    assert scene.lab.calls("PUT", "/diagnosticSettings/") == 2


async def test_a_connection_that_breaks_after_the_write_does_no_harm(scene: _Scene) -> None:
    fault = Fault(FaultKind.DROP_AFTER, "PUT", "/diagnosticSettings/", calls=1)
    scene.lab.azure.faults.switch_on("torn", fault)

    await scene.lab.cycle(Step.SUBSCRIPTIONS)

    await scene.assert_healed()


async def test_one_bad_subscription_does_not_stop_the_others(lab: Lab) -> None:
    customer = add_customer(lab.world, "contoso", 6)
    integration = await lab.integrate("contoso", customer.tenant_id)
    bad = customer.delegated[2]
    lab.world.change_subscription(bad, providers=frozenset())

    await lab.cycle()

    coverages = await lab.coverages(integration)
    assert coverages.pop(bad) is Coverage.BLOCKED
    assert set(coverages.values()) == {Coverage.CONFIGURED}


async def test_one_bad_hub_does_not_stop_the_others(lab: Lab) -> None:
    good = await lab.integrate("contoso", add_customer(lab.world, "contoso", 1).tenant_id)
    await lab.cycle()
    full = await lab.integrate("fabrikam", add_customer(lab.world, "fabrikam", 1).tenant_id)
    theirs = lab.world.hubs["lightkeeper-westeurope-1", "contoso"]
    for number in range(9):
        name = f"theirs-{number}"
        lab.world.hubs["lightkeeper-westeurope-1", name] = replace(theirs, name=name)

    await lab.cycle()

    (problem,) = await lab.problems(full)
    assert problem.where == "lightkeeper-westeurope-1/fabrikam"
    assert await lab.problems(good) == []
    states = {row.fact.customer: row.fact.state.value for row in await lab.context.hubs.list()}
    assert states == {"contoso": "ready", "fabrikam": "blocked"}
