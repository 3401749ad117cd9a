"""Every page of every listing fails, breaks off or comes back empty: nothing is gone, nothing is removed.

Three listings in a row that lack an object would make it gone, so as many fail in a row here.
"""

import ast
import inspect
import pkgutil
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from importlib import import_module

import pytest

import shared.arm
from local.azure.faults import Fault, FaultKind
from shared.model.hubs import HubState
from shared.model.jobs import Step
from shared.model.problem import PROVIDER
from shared.model.reasons import Reason
from shared.model.upkeep import Coverage
from tests.helpers.standing import HOME, SWEEP, Standing, stand
from tests.helpers.swift_lab import open_swift_lab

_FAILURES = {
    FaultKind.ERROR_500: Reason.UNREACHABLE,
    FaultKind.THROTTLED: Reason.THROTTLED,
    FaultKind.ERROR_503: Reason.UNREACHABLE,
    FaultKind.DROP: Reason.UNREACHABLE,
}
_ATTEMPTS = 10
_TORN = (FaultKind.EMPTY_PAGE, FaultKind.LOST_NEXT_LINK)


@dataclass(frozen=True, slots=True)
class _Listing:
    """One listing, and how it is made to happen.

    Attributes:
        function: that makes it, in `shared.arm`.
        step: that asks for it.
        target: of the job that asks for it; `{first}` and `{last}` stand for the customer's subscriptions.
        method: HTTP method.
        path: part of the path by which its calls are known.
        pages: how many it has where there is one object on each.
        seconds: how long after the one before the next is made.
        place: beginning of the place at which its failure is a problem.
        provider: whether that problem concerns the provider, not the customer.
        counts: whether its answers say how many there are, so that what is missing is noticed.
    """

    function: str
    step: Step
    target: str
    method: str
    path: str
    pages: int
    seconds: float
    place: str
    provider: bool = False
    counts: bool = False


_LISTINGS = (
    _Listing(
        "subscriptions.list_subscriptions",
        step=Step.SUBSCRIPTIONS,
        target="",
        method="GET",
        path="/subscriptions",
        pages=3,
        seconds=60,
        place="subscriptions",
        provider=True,
    ),
    _Listing(
        "resources.list_resources",
        step=Step.RESOURCES,
        target="{first}..{last}",
        method="GET",
        path="/resources",
        pages=3,
        seconds=60,
        place="resources ",
    ),
    _Listing(
        "resource_graph.query_resources",
        step=Step.RESOURCES,
        target="{first}..{last}",
        method="POST",
        path="/Microsoft.ResourceGraph/",
        pages=2,
        seconds=SWEEP,
        place="resources ",
        counts=True,
    ),
    _Listing(
        "event_hubs.list_hubs",
        step=Step.EVENT_HUBS,
        target=f"westeurope/{HOME}",
        method="GET",
        path=f"/{HOME}/eventhubs",
        pages=2,
        seconds=60,
        place=f"{HOME}/",
    ),
)
_OF_REFUSALS = {"data_exports._count_others"}
"""Listings that only say why something was refused."""

_IDS = [listing.function.rpartition(".")[2] for listing in _LISTINGS]


def _functions_that_page() -> Iterator[str]:
    """What in `shared.arm` goes from page to page."""
    for module in pkgutil.iter_modules(shared.arm.__path__):
        tree = ast.parse(inspect.getsource(import_module(f"shared.arm.{module.name}")))
        for node in tree.body:
            if isinstance(node, ast.AsyncFunctionDef) and _goes_on(node):
                yield f"{module.name}.{node.name}"


def _goes_on(function: ast.AsyncFunctionDef) -> bool:
    nodes = list(ast.walk(function))
    is_async = any(
        isinstance(node, ast.AsyncFor) or (isinstance(node, ast.comprehension) and node.is_async)
        for node in nodes
    )
    texts = {node.value for node in nodes if isinstance(node, ast.Constant)}
    return is_async or bool(texts & {"nextLink", "$skipToken", "value", "data"})


def test_no_listing_is_forgotten_here() -> None:
    assert set(_functions_that_page()) == {listing.function for listing in _LISTINGS} | _OF_REFUSALS


@pytest.fixture
async def standing() -> AsyncIterator[Standing]:
    """One object is on each page."""
    async with open_swift_lab(LIGHTKEEPER_MAX_ATTEMPTS=str(_ATTEMPTS)) as lab:
        found = await stand(lab)
        lab.world.page_size = 1
        yield found


async def _list(standing: Standing, listing: _Listing) -> None:
    """The last attempt at one listing."""
    lab = standing.lab
    lab.world.clock.move(listing.seconds)
    ids = sorted(standing.customer.delegated)
    target = listing.target.format(first=ids[0], last=ids[-1])
    integration_id = "" if listing.step in (Step.SUBSCRIPTIONS, Step.EVENT_HUBS) else standing.integration.id
    job = lab.job(listing.step, target, integration_id)
    await lab.run(replace(job, attempt=_ATTEMPTS - 1))


async def _problems(standing: Standing, listing: _Listing) -> set[Reason]:
    owner = PROVIDER if listing.provider else standing.integration.id
    found = await standing.lab.context.problems.list(owner)
    return {problem.reason for problem in found if problem.where.startswith(listing.place)}


@pytest.mark.parametrize("listing", _LISTINGS, ids=_IDS)
async def test_a_page_that_fails_changes_nothing_and_is_a_problem_until_it_comes(
    standing: Standing, subtests: pytest.Subtests, listing: _Listing
) -> None:
    faults = standing.lab.azure.faults
    if listing.seconds == SWEEP:
        await standing.sweep()
    whole, coverages = standing.picture(), await standing.coverages()
    for page in range(listing.pages):
        with subtests.test(f"page {page + 1}"):
            for kind, reason in _FAILURES.items():
                faults.switch_on("ill", Fault(kind, listing.method, listing.path, skip=page, seconds=1))
                await _list(standing, listing)
                assert faults.state()["ill"]["met"], "no such page was asked for"
                assert await _problems(standing, listing) == {reason}
                assert {row.fact.state for row in await standing.lab.context.hubs.list()} == {HubState.READY}
            assert standing.picture() == whole
            assert await standing.coverages() == coverages
            faults.switch_off()
            await _list(standing, listing)
            assert await _problems(standing, listing) == set()
    await standing.lab.drain()
    assert standing.picture() == whole
    await standing.assert_whole()


@pytest.mark.parametrize("listing", _LISTINGS, ids=_IDS)
async def test_a_page_that_breaks_off_or_comes_empty_makes_nothing_gone(
    standing: Standing, subtests: pytest.Subtests, listing: _Listing
) -> None:
    faults = standing.lab.azure.faults
    if listing.seconds == SWEEP:
        await standing.sweep()
    whole, coverages = standing.picture(), await standing.coverages()
    for page in range(listing.pages):
        with subtests.test(f"page {page + 1}"):
            for kind in (*_TORN, *_TORN):
                faults.switch_on("torn", Fault(kind, listing.method, listing.path, skip=page, calls=1))
                await _list(standing, listing)
                assert faults.state()["torn"]["met"], "no such page was asked for"
                if listing.counts and not (kind is FaultKind.LOST_NEXT_LINK and page + 1 == listing.pages):
                    assert await _problems(standing, listing) == {Reason.UNREACHABLE}
                await standing.lab.drain()
                assert standing.picture() == whole
                assert await standing.coverages() == coverages
            faults.switch_off()
            await _list(standing, listing)
            await standing.lab.drain()
            assert standing.picture() == whole
            await standing.assert_whole()


@pytest.mark.parametrize("kind", _TORN)
async def test_a_hub_that_a_torn_listing_lacks_is_deleted_before_it_is_forgotten(
    standing: Standing, kind: FaultKind
) -> None:
    lab = standing.lab
    lab.azure.faults.switch_on("torn", Fault(kind, "GET", f"/{HOME}/eventhubs", calls=1))
    [row] = [row for row in await lab.context.hubs.list() if row.fact.namespace == HOME]
    leaving = replace(row.fact, state=HubState.REMOVING, drains_until=lab.context.clock())
    await lab.context.hubs.save([replace(row, fact=leaving)])

    await lab.run(lab.job(Step.EVENT_HUBS, f"westeurope/{HOME}"))

    assert lab.azure.faults.state()["torn"]["met"] == 1
    assert lab.world.hub(HOME, "contoso") is None
    assert lab.world.hub(HOME, "theirs") is not None


async def test_what_resource_graph_does_not_show_yet_is_not_gone(standing: Standing) -> None:
    """Its answer is whole then, and still lacks what is there."""
    lab = standing.lab
    lab.world.graph_lag_seconds = 1e6
    whole, coverages = standing.picture(), await standing.coverages()

    for _ in range(5):
        await standing.sweep()

    assert lab.calls("POST", "/Microsoft.ResourceGraph/") >= 5
    assert standing.picture() == whole
    assert await standing.coverages() == coverages


async def test_what_listings_lack_is_not_gone_while_azure_cannot_be_asked_for_it(standing: Standing) -> None:
    lab, here = standing.lab, standing.subscription_id
    coverages = await standing.coverages()
    standing.hands.withdraw(here)
    lab.azure.faults.switch_on("ill", Fault(FaultKind.ERROR_503, "GET", here))

    for _ in range(5):
        await lab.cycle(Step.SUBSCRIPTIONS)
    assert (await standing.coverages())[here] == coverages[here]
    assert {problem.reason for problem in await lab.problems()} == {Reason.UNREACHABLE}

    lab.azure.faults.switch_off()
    await lab.cycle(Step.SUBSCRIPTIONS)
    assert (await standing.coverages())[here] is Coverage.GONE
    assert await lab.problems() == []
