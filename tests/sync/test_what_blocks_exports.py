"""What stands in the way of exports of a workspace or of alerts has its one reason until it is mended."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace

import pytest

from local.azure.world import ExportRule
from shared.model.reasons import EXPLANATIONS, Reason
from shared.model.upkeep import Coverage
from tests.helpers.standing import GROUP, RULE, Standing, stand
from tests.helpers.swift_lab import open_swift_lab


@pytest.fixture
async def standing() -> AsyncIterator[Standing]:
    async with open_swift_lab() as lab:
        yield await stand(lab)


def _rules(standing: Standing) -> dict[str, ExportRule]:
    """The export rules of the workspace."""
    return standing.lab.world.exports[standing.workspace.lower()]


def _fill_with_ten(standing: Standing) -> None:
    rules = _rules(standing)
    theirs = rules["theirs"]
    for number in range(9):
        destination = f"{theirs.destination}{number}"
        rules[f"more-{number}"] = replace(theirs, name=f"more-{number}", destination=destination)
    del rules[RULE.lower()]


def _disable_one(standing: Standing) -> None:
    rules = _rules(standing)
    rules["more-3"] = replace(rules["more-3"], enabled=False)


def _send_theirs_to_our_hub(standing: Standing) -> None:
    rules = _rules(standing)
    ours = rules.pop(RULE.lower())
    rules["rival"] = replace(ours, name="rival")


def _delete_rival(standing: Standing) -> None:
    del _rules(standing)["rival"]


def _unregister(provider: str) -> Callable[[Standing], None]:
    def change(standing: Standing) -> None:
        standing.hands.set_provider(standing.subscription_id, provider, registered=False)
        standing.lab.world.automations.pop(standing.automation.lower())
        _rules(standing).pop(RULE.lower())

    return change


def _register(provider: str) -> Callable[[Standing], None]:
    def change(standing: Standing) -> None:
        standing.hands.set_provider(standing.subscription_id, provider, registered=True)

    return change


def _delete_group(standing: Standing) -> None:
    standing.hands.act("DELETE", f"{standing.scope}/resourceGroups/{GROUP}")


def _make_group(standing: Standing) -> None:
    standing.hands.add_group(standing.subscription_id, GROUP, "westeurope")


@dataclass(frozen=True, slots=True)
class _Case:
    """What is broken, what is said of it, and how it is mended.

    Attributes:
        reason: that is named.
        alerts: whether it concerns the alert export; else the export rule.
        detail: part of what Azure said.
        break_it: makes it so.
        mend_it: ends it.
    """

    reason: Reason
    alerts: bool
    detail: str
    break_it: Callable[[Standing], None]
    mend_it: Callable[[Standing], None]


_CASES = {
    "ten rules": _Case(Reason.EXPORT_LIMIT_REACHED, False, "(10)", _fill_with_ten, _disable_one),
    "our hub in another rule": _Case(
        Reason.SINK_ALREADY_USED, False, "rule: rival", _send_theirs_to_our_hub, _delete_rival
    ),
    "Insights not registered": _Case(
        Reason.PROVIDER_NOT_REGISTERED,
        False,
        "Microsoft.Insights",
        _unregister("Microsoft.Insights"),
        _register("Microsoft.Insights"),
    ),
    "Security not registered": _Case(
        Reason.PROVIDER_NOT_REGISTERED,
        True,
        "Microsoft.Security",
        _unregister("Microsoft.Security"),
        _register("Microsoft.Security"),
    ),
    "no group": _Case(Reason.AUTOMATION_GROUP_MISSING, True, GROUP, _delete_group, _make_group),
}


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in _CASES.items()])
async def test_what_azure_refuses_is_a_problem_until_it_is_mended(standing: Standing, case: _Case) -> None:
    where = f"{standing.subscription_id} alerts" if case.alerts else standing.workspace
    key = where.lower() if case.alerts else f"{standing.workspace} export".lower()
    case.break_it(standing)

    await standing.sweep()

    (problem,) = [each for each in await standing.problems() if each.where.lower() == where.lower()]
    assert problem.reason is case.reason
    assert case.detail in problem.detail
    assert EXPLANATIONS[problem.reason].remedy
    assert (await standing.coverages())[key] is Coverage.BLOCKED

    case.mend_it(standing)
    await standing.sweep()
    await standing.assert_whole()
