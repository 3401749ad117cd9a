"""Assignments of hubs: never moved, never over capacity, the same whoever makes them."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.model.hubs import HubAssignment
from shared.model.integration import Integration
from shared.sync.assignments import MOST_NAMESPACE_NAME, namespace_name, new_assignments
from tests.helpers.facts import NOW, a_guid, an_assignment, an_integration

_REGIONS = ["eastus", "northeurope", "westeurope"]


def _integrations(count: int, region: str = "westeurope") -> list[Integration]:
    return [
        an_integration(
            id=a_guid(number),
            customer=f"customer-{number:03d}",
            home_region=region,
            created_at=NOW + timedelta(seconds=number),
        )
        for number in range(count)
    ]


def _assign(
    integrations: Sequence[Integration], existing: Sequence[HubAssignment] = (), *, capacity: int = 10
) -> list[HubAssignment]:
    return new_assignments(integrations, existing, regions={}, capacity=capacity, prefix="keeper", now=NOW)


def test_a_customer_gets_a_hub_of_its_own_name_in_its_home_region() -> None:
    (assignment,) = _assign([an_integration()])
    assert (assignment.region, assignment.customer, assignment.hub) == ("westeurope", "contoso", "contoso")
    assert assignment.namespace == "keeper-westeurope-1"
    assert assignment.integration_id == an_integration().id


def test_eleven_customers_of_one_region_get_two_namespaces() -> None:
    assignments = _assign(_integrations(11))
    assert [each.shard for each in assignments] == [1] * 10 + [2]
    assert assignments[-1].namespace == "keeper-westeurope-2"


def test_the_oldest_integration_comes_first_however_they_are_listed() -> None:
    integrations = _integrations(11)
    assert _assign(integrations) == _assign(integrations[::-1])


def test_who_has_a_hub_gets_no_other() -> None:
    integrations = _integrations(5)
    assert _assign(integrations, _assign(integrations)) == []


def test_a_free_place_in_an_old_namespace_is_taken_before_a_new_one_is_made() -> None:
    existing = [an_assignment(customer=f"old-{number}", shard=number) for number in (1, 3)]
    assignments = _assign(_integrations(3), existing, capacity=2)
    assert [each.shard for each in assignments] == [1, 2, 2]


def test_regions_do_not_share_namespaces() -> None:
    integrations = [
        *_integrations(2, "westeurope"),
        an_integration(customer="fabrikam", home_region="eastus"),
    ]
    by_region = {each.region: each.namespace for each in _assign(integrations, capacity=2)}
    assert by_region == {"westeurope": "keeper-westeurope-1", "eastus": "keeper-eastus-1"}


_worlds = st.lists(st.sampled_from(_REGIONS), max_size=40).map(
    lambda regions: [
        an_integration(
            id=a_guid(number),
            customer=f"customer-{number:03d}",
            home_region=region,
            created_at=NOW + timedelta(seconds=number // 3),
        )
        for number, region in enumerate(regions)
    ]
)


@settings(max_examples=60)
@given(_worlds, st.integers(1, 12), st.randoms(), st.integers(0, 40))
def test_growing_step_by_step_never_moves_or_overfills(
    integrations: list[Integration], capacity: int, random: Random, step: int
) -> None:
    order = random.sample(integrations, len(integrations))
    first = _assign(order[:step], capacity=capacity)
    everything = [*first, *_assign(order, first, capacity=capacity)]
    assert everything[: len(first)] == first
    assert {each.customer for each in everything} == {each.customer for each in integrations}
    assert len(everything) == len(integrations)
    load = Counter(each.namespace for each in everything)
    assert all(count <= capacity for count in load.values())


@settings(max_examples=60)
@given(_worlds, st.integers(1, 12))
def test_no_more_namespaces_are_made_than_needed(integrations: list[Integration], capacity: int) -> None:
    assignments = _assign(integrations, capacity=capacity)
    for region in _REGIONS:
        count = sum(each.home_region == region for each in integrations)
        shards = {each.shard for each in assignments if each.region == region}
        assert shards == set(range(1, -(-count // capacity) + 1))


@given(
    st.from_regex(r"[a-z][a-z0-9-]{1,18}[a-z0-9]", fullmatch=True),
    st.from_regex(r"[a-z][a-z0-9]{2,39}", fullmatch=True),
    st.integers(1, 1000),
    st.integers(1, 1000),
)
def test_every_shard_has_a_name_of_its_own_that_azure_takes(
    prefix: str, region: str, one: int, other: int
) -> None:
    name = namespace_name(prefix, region, one)
    assert 6 <= len(name) <= MOST_NAMESPACE_NAME
    assert name[0].isalpha()
    assert name[-1].isalnum()
    assert (name == namespace_name(prefix, region, other)) == (one == other)


@pytest.mark.parametrize("region", ["southafricanorth", "germanywestcentral", "southcentralusstage"])
def test_the_names_of_todays_regions_stay_readable(region: str) -> None:
    assert namespace_name("p" * 20, region, 999) == f"{'p' * 20}-{region}-999"
