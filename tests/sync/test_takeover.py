"""A workspace with an older export rule of ours: it is replaced without a gap, or adopted."""

from dataclasses import replace
from typing import Any

import pytest

from local.azure.faults import Fault, FaultKind
from local.azure.transport import InProcess
from local.azure.world import Delegation, ExportRule
from shared.arm.connection import Arm
from shared.model.exports import ENTRA_TABLES
from shared.model.jobs import Job, Step
from shared.model.reasons import Reason
from shared.model.upkeep import Coverage
from shared.model.workspace import Workspace
from shared.sync.workspace_exports import WorkspaceExportsStep
from tests.helpers.facts import PROVIDER_SUBSCRIPTION
from tests.helpers.standing import RULE, Standing, stand
from tests.helpers.swift_lab import open_swift_lab

_OLDER = "Older-Entra"


class _Listening(InProcess):
    """Notes the calls that concern export rules."""

    def __init__(self, standing: Standing) -> None:
        super().__init__(standing.lab.azure)
        self.calls: list[tuple[str, str]] = []

    async def send(self, request: Any, **options: Any) -> Any:  # noqa: ANN401 - as the SDK has it
        path = str(request.url).partition("?")[0]
        if "/dataExports/" in path:
            self.calls.append((request.method, path.rpartition("/")[2]))
        return await super().send(request, **options)


@pytest.fixture
async def standing():  # noqa: ANN201 - an async generator of `Standing`
    """With an older rule that sends to a hub of its own, in place of the one that we keep."""
    async with open_swift_lab(LIGHTKEEPER_OLDER_EXPORT_RULE=_OLDER) as lab:
        found = await stand(lab)
        found.hands.delete_export_rule(found.workspace, RULE)
        _write_older(found, "theirs")
        yield found


def _write_older(standing: Standing, hub: str) -> None:
    standing.hands.write_export_rule(
        standing.workspace, _OLDER, namespace_id=standing.namespace_id, hub=hub, tables=["AuditLogs"]
    )


def _rule(standing: Standing, name: str) -> ExportRule | None:
    return standing.lab.world.exports[standing.workspace.lower()].get(name.lower())


def _step(standing: Standing) -> tuple[WorkspaceExportsStep, Job, _Listening]:
    context, listening = standing.lab.context, _Listening(standing)
    arm = Arm(context.arm.url, context.arm._credential, PROVIDER_SUBSCRIPTION, transport=listening)
    job = standing.lab.job(Step.WORKSPACE_EXPORTS, standing.workspace.lower(), standing.integration.id)
    return WorkspaceExportsStep(replace(context, arm=arm)), job, listening


async def _row(standing: Standing) -> Workspace:
    return (await standing.lab.context.workspaces.read(standing.integration.id, standing.workspace)).fact


async def test_the_new_rule_is_made_and_read_back_before_the_older_one_goes(standing: Standing) -> None:
    step, job, listening = _step(standing)

    await step.run(job)
    assert _rule(standing, RULE) is not None
    assert _rule(standing, _OLDER) is not None
    await step.run(job)

    assert listening.calls == [
        ("GET", RULE),
        ("PUT", RULE),
        ("GET", RULE),
        ("GET", _OLDER),
        ("DELETE", _OLDER),
    ]
    row = await _row(standing)
    assert (row.upkeep.coverage, row.replaced, row.adopted) == (Coverage.CONFIGURED, True, False)


async def test_while_azure_keeps_nothing_the_older_rule_stays(standing: Standing) -> None:
    standing.lab.azure.faults.switch_on("nothing", Fault(FaultKind.KEEP_NOTHING, "PUT", "/dataExports/"))
    await standing.sweep()
    assert _rule(standing, _OLDER) is not None
    assert (await _row(standing)).upkeep.reason is Reason.KEEPS_NOTHING


async def test_an_older_rule_that_cannot_be_deleted_is_a_problem_of_its_own(standing: Standing) -> None:
    step, job, _ = _step(standing)
    await step.run(job)
    world, here = standing.lab.world, standing.subscription_id
    before = world.subscriptions[here].delegations
    reader = Delegation(world.provider_tenant, frozenset({(world.app.object_id, "Reader")}))
    world.change_subscription(here, delegations=(reader,))

    await step.run(job)

    assert (await _row(standing)).upkeep.coverage is Coverage.CONFIGURED
    (problem,) = await standing.problems()
    assert (problem.reason, problem.where) == (Reason.ROLE_MISSING, f"{standing.workspace} {_OLDER}")

    world.change_subscription(here, delegations=before)
    await standing.sweep()
    assert _rule(standing, _OLDER) is None
    await standing.assert_whole()


async def test_an_older_rule_to_the_same_hub_is_changed_where_it_stands(standing: Standing) -> None:
    _write_older(standing, "contoso")
    made = _rule(standing, _OLDER)
    assert made is not None
    step, job, listening = _step(standing)

    for _ in range(3):
        await step.run(job)

    assert ("DELETE", _OLDER) not in listening.calls
    assert listening.calls.count(("PUT", RULE)) == 1, "once refused, it is not tried again"
    kept = _rule(standing, _OLDER)
    assert kept is not None
    assert (kept.export_id, kept.hub, set(kept.tables or ())) == (made.export_id, "contoso", ENTRA_TABLES)
    row = await _row(standing)
    assert (row.upkeep.coverage, row.adopted) == (Coverage.CONFIGURED, True)
    await standing.assert_whole()


async def test_an_adopted_rule_is_kept_like_any_other(standing: Standing) -> None:
    _write_older(standing, "contoso")
    await standing.sweep()
    standing.hands.change_export_rule(standing.workspace, _OLDER, enabled=False)
    await standing.sweep()
    kept = _rule(standing, _OLDER)
    assert kept is not None
    assert kept.enabled

    standing.hands.delete_export_rule(standing.workspace, _OLDER)
    await standing.sweep()
    assert _rule(standing, _OLDER) is not None
    await standing.assert_whole()


async def test_a_rule_of_somebody_else_to_our_hub_is_never_changed(standing: Standing) -> None:
    standing.hands.delete_export_rule(standing.workspace, _OLDER)
    standing.hands.write_export_rule(
        standing.workspace, "another", namespace_id=standing.namespace_id, hub="contoso", tables=["AuditLogs"]
    )
    another = _rule(standing, "another")

    await standing.sweep()

    assert _rule(standing, "another") is another
    row = await _row(standing)
    assert (row.upkeep.coverage, row.upkeep.reason) == (Coverage.BLOCKED, Reason.SINK_ALREADY_USED)
    assert not row.adopted


@pytest.mark.parametrize("calls", range(1, 6))
async def test_a_takeover_that_breaks_off_anywhere_goes_on_and_leaves_no_gap(
    standing: Standing, calls: int
) -> None:
    lab = standing.lab
    lab.azure.faults.switch_on("down", Fault(FaultKind.ERROR_503, path="/dataExports/", skip=calls))
    await standing.sweep()
    assert _rule(standing, RULE) is not None or _rule(standing, _OLDER) is not None

    lab.azure.faults.switch_off()
    for _ in range(3):
        await standing.sweep()

    assert _rule(standing, RULE) is not None
    assert _rule(standing, _OLDER) is None
    await standing.assert_whole()
