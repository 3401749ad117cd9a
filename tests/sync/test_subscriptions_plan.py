"""What a complete listing makes of the rows: pure, repeatable, and slow to believe in absence."""

import itertools
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.model.integration import Integration
from shared.model.reasons import Reason
from shared.model.subscription import ListedSubscription, Subscription
from shared.model.upkeep import Coverage, Upkeep
from shared.sync.subscription_plans import plan
from tests.helpers.facts import (
    INTEGRATION,
    NOW,
    OTHER_TENANT,
    PROVIDER_TENANT,
    a_guid,
    a_listed,
    a_subscription,
    an_integration,
    stamp,
)

type _Rows = dict[str, Subscription]

_STATES = ["Enabled", "Warned", "PastDue", "Disabled", "Deleted", "SomethingNew"]


def _plan(
    listed: Iterable[ListedSubscription],
    known: Mapping[str, Subscription] | None = None,
    *,
    integration: Integration | None = None,
    number: int = 1,
    stamps: Sequence[str] = (),
    now: datetime = NOW,
) -> _Rows:
    rows = plan(
        integration or an_integration(),
        listed,
        known or {},
        provider_tenant_id=PROVIDER_TENANT,
        stamp=stamp(number),
        stamps=stamps or (stamp(number),),
        now=now,
    )
    found = {row.subscription_id: row for row in rows}
    assert len(found) == len(rows), "one row per subscription"
    return found


def _history(
    listings: Sequence[Sequence[ListedSubscription]], *, cap: int = 2000, start: int = 1
) -> list[_Rows]:
    """The rows after each of several complete listings, a minute apart."""
    rows: _Rows = {}
    after: list[_Rows] = []
    for number, listed in enumerate(listings, start):
        stamps = [stamp(each) for each in range(max(start, number - 2), number + 1)]
        rows = _plan(
            listed,
            rows,
            integration=an_integration(subscription_cap=cap),
            number=number,
            stamps=stamps,
            now=NOW + timedelta(minutes=number),
        )
        after.append(rows)
    return after


@pytest.mark.parametrize(
    ("item", "coverage", "reason"),
    [
        pytest.param(a_listed(), Coverage.PENDING, None, id="delegated and enabled"),
        pytest.param(a_listed(state="Warned"), Coverage.PENDING, None, id="warned"),
        pytest.param(a_listed(state="PastDue"), Coverage.PENDING, None, id="past due"),
        pytest.param(a_listed(state="SomethingNew"), Coverage.PENDING, None, id="an unknown state"),
        pytest.param(a_listed(delegated=False), Coverage.EXCLUDED, Reason.NOT_DELEGATED, id="not delegated"),
        pytest.param(
            a_listed(state="Disabled"), Coverage.EXCLUDED, Reason.SUBSCRIPTION_DISABLED, id="disabled"
        ),
        pytest.param(
            a_listed(state="Deleted"), Coverage.EXCLUDED, Reason.SUBSCRIPTION_DISABLED, id="deleted"
        ),
        pytest.param(
            a_listed(state="Disabled", delegated=False),
            Coverage.EXCLUDED,
            Reason.NOT_DELEGATED,
            id="neither delegated nor enabled",
        ),
    ],
)
def test_a_new_subscription_is_covered_or_has_its_reason(
    item: ListedSubscription, coverage: Coverage, reason: Reason | None
) -> None:
    row = _plan([item])[item.subscription_id]
    assert (row.upkeep.coverage, row.upkeep.reason) == (coverage, reason)
    assert (row.integration_id, row.name, row.state) == (INTEGRATION, item.name, item.state)
    assert row.first_seen == row.last_seen == stamp(1)


def test_subscriptions_of_other_tenants_are_not_ours() -> None:
    assert _plan([a_listed(1, tenant_id=OTHER_TENANT), a_listed(2, tenant_id=PROVIDER_TENANT)]) == {}


def test_a_subscription_that_other_providers_manage_too_is_ours_all_the_same() -> None:
    item = replace(a_listed(), managed_by=frozenset({PROVIDER_TENANT, OTHER_TENANT}))
    assert _plan([item])[item.subscription_id].upkeep.coverage is Coverage.PENDING


def test_a_subscription_that_only_others_manage_is_not_delegated() -> None:
    item = replace(a_listed(), managed_by=frozenset({OTHER_TENANT}))
    assert _plan([item])[item.subscription_id].upkeep.reason is Reason.NOT_DELEGATED


def test_what_changed_in_azure_changes_in_the_row_and_nothing_else_does() -> None:
    before = a_subscription(coverage=Coverage.CONFIGURED, verified_at=NOW, written_at=NOW, handled=stamp(0))
    after = _plan([a_listed(name="New name")], {before.subscription_id: before})[before.subscription_id]
    assert after == replace(before, name="New name", last_seen=stamp(1))


@pytest.mark.parametrize(
    "coverage", [Coverage.PENDING, Coverage.WRITTEN, Coverage.CONFIGURED, Coverage.BLOCKED]
)
def test_a_subscription_that_is_watched_stays_as_far_as_it_has_come(coverage: Coverage) -> None:
    upkeep = Upkeep(coverage=coverage, reason=Reason.ROLE_MISSING, detail="403", writes=2)
    before = replace(a_subscription(), upkeep=upkeep)
    after = _plan([a_listed()], {before.subscription_id: before})[before.subscription_id]
    assert after == replace(before, last_seen=stamp(1))


def test_a_subscription_that_is_mended_starts_anew() -> None:
    disabled = _plan([a_listed(state="Disabled")])
    row = _plan([a_listed()], disabled, number=2)[a_guid(1)]
    assert (row.upkeep.coverage, row.upkeep.reason, row.upkeep.writes, row.upkeep.verified_at) == (
        Coverage.PENDING,
        None,
        0,
        None,
    )


def test_delegation_is_dated_from_the_listing_that_first_found_it() -> None:
    first, second, third, fourth = _history(
        [[a_listed(delegated=False)], [a_listed()], [a_listed()], [a_listed(delegated=False)]]
    )
    assert first[a_guid(1)].delegated_since is None
    assert second[a_guid(1)].delegated_since == NOW + timedelta(minutes=2)
    assert third[a_guid(1)].delegated_since == NOW + timedelta(minutes=2)
    assert fourth[a_guid(1)].delegated_since is None


def test_what_three_complete_listings_in_a_row_did_not_see_is_gone() -> None:
    coverages = [rows[a_guid(1)].upkeep.coverage for rows in _history([[a_listed()], [], [], [], []])]
    assert coverages == [Coverage.PENDING] * 3 + [Coverage.GONE] * 2


@pytest.mark.parametrize(
    "seen", [pattern for pattern in itertools.product([True, False], repeat=5) if pattern[0]]
)
def test_only_three_misses_in_a_row_make_a_subscription_gone(seen: tuple[bool, ...]) -> None:
    after = _history([[a_listed()] if here else [] for here in seen])[-1]
    gone = after[a_guid(1)].upkeep.coverage is Coverage.GONE
    assert gone == (not any(seen[-3:]))


def test_what_is_gone_has_its_reason_and_is_no_longer_delegated() -> None:
    row = _history([[a_listed()], [], [], []])[-1][a_guid(1)]
    assert (row.upkeep.reason, row.delegated_since, row.watched) == (Reason.NOT_DELEGATED, None, False)


def test_what_was_gone_and_returns_starts_anew() -> None:
    row = _history([[a_listed()], [], [], [], [a_listed()]])[-1][a_guid(1)]
    assert (row.upkeep.coverage, row.upkeep.reason, row.upkeep.writes) == (Coverage.PENDING, None, 0)
    assert row.first_seen == stamp(1)
    assert row.delegated_since == NOW + timedelta(minutes=5)


def test_what_was_gone_and_returns_without_delegation_is_excluded() -> None:
    row = _history([[a_listed()], [], [], [], [a_listed(delegated=False)]])[-1][a_guid(1)]
    assert (row.upkeep.coverage, row.upkeep.reason) == (Coverage.EXCLUDED, Reason.NOT_DELEGATED)


def test_what_is_gone_stays_gone_while_it_is_not_seen() -> None:
    rows = _history([[a_listed()], [], [], []])[-1]
    assert _plan([], rows, number=5) == rows


def test_a_late_listing_of_an_old_cycle_does_not_call_gone_what_it_sees() -> None:
    stamps = (stamp(7), stamp(8), stamp(9))
    gone = replace(a_subscription(1, coverage=Coverage.GONE), delegated_since=None)
    rows = _plan([a_listed(1), a_listed(2)], {gone.subscription_id: gone}, number=3, stamps=stamps)
    assert rows[a_guid(1)].upkeep.coverage is Coverage.PENDING
    assert rows[a_guid(2)].upkeep.coverage is Coverage.PENDING


def test_a_late_listing_of_an_old_cycle_does_not_turn_stamps_back() -> None:
    before = a_subscription(coverage=Coverage.CONFIGURED, first_seen=stamp(1), last_seen=stamp(9))
    stamps = (stamp(7), stamp(8), stamp(9))
    for listed in ([a_listed()], []):
        after = _plan(listed, {before.subscription_id: before}, number=3, stamps=stamps)
        assert after[before.subscription_id] == before


def test_a_late_listing_of_an_old_cycle_undoes_nothing_that_a_newer_one_saw() -> None:
    newer = _plan([a_listed(state="Disabled")], number=2)
    assert _plan([a_listed(state="Enabled")], newer, number=1) == newer


def test_over_the_cap_those_first_seen_are_kept() -> None:
    first, second = _history([[a_listed(3), a_listed(2)], [a_listed(1), a_listed(2), a_listed(3)]], cap=2)
    assert {key for key, row in first.items() if row.watched} == {a_guid(2), a_guid(3)}
    assert {key for key, row in second.items() if row.watched} == {a_guid(2), a_guid(3)}
    assert second[a_guid(1)].upkeep.reason is Reason.OVER_CAP


def test_of_those_first_seen_at_once_the_same_are_kept_in_every_cycle() -> None:
    numbers = [1, 2, 3, 4]
    for order in itertools.permutations(numbers):
        rows = _plan([a_listed(number) for number in order], integration=an_integration(subscription_cap=2))
        assert {key for key, row in rows.items() if row.watched} == {a_guid(1), a_guid(2)}


def test_subscriptions_without_delegation_take_no_place_under_the_cap() -> None:
    rows = _history([[a_listed(1, delegated=False)], [a_listed(1, delegated=False), a_listed(2)]], cap=1)[-1]
    assert rows[a_guid(2)].upkeep.coverage is Coverage.PENDING


def test_a_place_that_becomes_free_goes_to_who_waited() -> None:
    rows = _history([[a_listed(1), a_listed(2)], [a_listed(2)], [a_listed(2)], [a_listed(2)]], cap=1)
    assert [each[a_guid(2)].upkeep.coverage for each in rows] == [Coverage.EXCLUDED] * 3 + [Coverage.PENDING]


def test_a_subscription_that_returns_does_not_displace_one_that_is_covered() -> None:
    only_second = [a_listed(2)]
    both = [a_listed(1), a_listed(2)]
    rows = _history([[a_listed(1)], both, only_second, only_second, only_second, both], cap=1)[-1]
    assert rows[a_guid(1)].first_seen < rows[a_guid(2)].first_seen
    assert rows[a_guid(2)].upkeep.coverage is Coverage.PENDING
    assert rows[a_guid(1)].upkeep.reason is Reason.OVER_CAP


def test_a_raised_cap_lets_the_rest_in_and_a_lowered_one_excludes_the_last() -> None:
    listed = [a_listed(number) for number in (1, 2, 3)]
    two = _plan(listed, integration=an_integration(subscription_cap=2))
    three = _plan(listed, two, integration=an_integration(subscription_cap=3), number=2)
    one = _plan(listed, three, integration=an_integration(subscription_cap=1), number=3)
    assert [row.watched for row in three.values()] == [True, True, True]
    assert sorted(row.subscription_id for row in one.values() if row.watched) == [a_guid(1)]


def test_the_subscription_of_a_named_workspace_is_expected_to_be_delegated() -> None:
    workspace = (
        f"/subscriptions/{a_guid(7).upper()}/resourceGroups/rg/providers"
        "/Microsoft.OperationalInsights/workspaces/central"
    )
    integration = an_integration(workspace_resource_id=workspace)
    missing = _plan([], integration=integration)
    assert missing[a_guid(7)].upkeep.reason is Reason.NOT_DELEGATED
    assert missing[a_guid(7)].first_seen == ""
    found = _plan([a_listed(7)], missing, integration=integration, number=2)
    assert found[a_guid(7)].upkeep.coverage is Coverage.PENDING
    assert found[a_guid(7)].first_seen == stamp(2)


def test_what_was_never_seen_is_never_gone() -> None:
    workspace = (
        f"/subscriptions/{a_guid(7)}/resourceGroups/rg/providers/microsoft.operationalinsights/workspaces/w"
    )
    rows = _plan([], integration=an_integration(workspace_resource_id=workspace))
    stamps = (stamp(7), stamp(8), stamp(9))
    after = _plan([], rows, integration=an_integration(workspace_resource_id=workspace), stamps=stamps)
    assert after == rows


_items = st.builds(
    a_listed,
    st.integers(1, 6),
    tenant_id=st.sampled_from([an_integration().tenant_id, OTHER_TENANT]),
    state=st.sampled_from(_STATES),
    delegated=st.booleans(),
)
_listings = st.lists(st.lists(_items, max_size=6, unique_by=lambda item: item.subscription_id), max_size=7)


@settings(max_examples=150)
@given(_listings, st.integers(1, 4))
def test_every_row_is_covered_or_has_exactly_one_reason(
    listings: list[list[ListedSubscription]], cap: int
) -> None:
    for rows in _history(listings, cap=cap):
        for row in rows.values():
            assert (row.upkeep.reason is None) == row.watched
            assert row.watched <= (row.delegated_since is not None)
        assert sum(row.watched for row in rows.values()) <= cap


@settings(max_examples=150)
@given(_listings, st.integers(1, 4))
def test_planning_twice_changes_nothing(listings: list[list[ListedSubscription]], cap: int) -> None:
    for number in range(1, len(listings) + 1):
        after = _history(listings[:number], cap=cap)[-1]
        stamps = [stamp(each) for each in range(max(1, number - 2), number + 1)]
        again = _plan(
            listings[number - 1],
            after,
            integration=an_integration(subscription_cap=cap),
            number=number,
            stamps=stamps,
            now=NOW + timedelta(days=1),
        )
        assert again == after


@settings(max_examples=150)
@given(_listings)
def test_nothing_that_was_ever_seen_is_forgotten(listings: list[list[ListedSubscription]]) -> None:
    seen: set[str] = set()
    for listed, rows in zip(listings, _history(listings), strict=True):
        seen |= {item.subscription_id for item in listed if item.tenant_id != OTHER_TENANT}
        assert set(rows) == seen


@settings(max_examples=150)
@given(_listings, st.integers(1, 4))
def test_nothing_that_was_seen_of_late_is_gone(listings: list[list[ListedSubscription]], cap: int) -> None:
    history = _history(listings, cap=cap)
    for number, rows in enumerate(history):
        of_late = {
            item.subscription_id
            for listed in listings[max(0, number - 2) : number + 1]
            for item in listed
            if item.tenant_id != OTHER_TENANT
        }
        assert not {key for key in of_late if rows[key].upkeep.coverage is Coverage.GONE}


@settings(max_examples=150)
@given(_listings, st.integers(1, 4))
def test_nothing_covered_is_displaced_while_it_stays_delegated_and_enabled(
    listings: list[list[ListedSubscription]], cap: int
) -> None:
    for before, after in itertools.pairwise(_history(listings, cap=cap)):
        displaced = {
            key for key, row in before.items() if row.watched and after[key].upkeep.reason is Reason.OVER_CAP
        }
        assert not displaced


@settings(max_examples=100)
@given(_listings, st.randoms())
def test_the_order_of_a_listing_does_not_matter(
    listings: list[list[ListedSubscription]], random: Random
) -> None:
    shuffled = [random.sample(listed, len(listed)) for listed in listings]
    assert _history(listings, cap=2) == _history(shuffled, cap=2)


@given(st.lists(_items, max_size=6, unique_by=lambda item: item.subscription_id))
def test_counts_by_coverage_add_up_to_the_listing(listed: list[ListedSubscription]) -> None:
    counts = Counter(row.upkeep.coverage for row in _plan(listed).values())
    assert counts.total() == sum(item.tenant_id != OTHER_TENANT for item in listed)
