"""The files that customers are given: roles are looked at first, links open one file and end."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl

import pytest

from local.azure.roles import EVENT_HUBS_DATA_OWNER, MONITORING_CONTRIBUTOR, OWNER, READER
from shared.model.integration import Integration
from shared.onboarding.files import OfferError, OnboardingFiles
from shared.onboarding.offer import FILES, MANAGEMENT_GROUP, REMOVAL, SUBSCRIPTION
from shared.store.links import LINK_LIFE, BadLinkError, LinkStore
from tests.helpers.facts import PROVIDER_TENANT, a_guid
from tests.helpers.lab import Lab, open_lab


def _files(lab: Lab, now: datetime | None = None, **settings: object) -> OnboardingFiles:
    changed = replace(lab.context.settings, **settings)  # type: ignore[arg-type]
    clock = lambda: now or datetime.now(UTC)  # noqa: E731 - the storage account has its own clock
    return OnboardingFiles(lab.context.arm, LinkStore(lab.storage), changed, clock)


async def _customer(lab: Lab, name: str = "contoso") -> Integration:
    return await lab.integrate(name, lab.world.guid())


async def test_a_link_opens_its_file_with_the_offer_in_it(lab: Lab) -> None:
    integration = await _customer(lab)
    published = await _files(lab).publish(integration)

    assert set(published.queries) == set(FILES)
    for file, query in published.queries.items():
        text = await _files(lab).read(integration.id, file, dict(parse_qsl(query)))
        assert PROVIDER_TENANT in text
        assert file == REMOVAL or lab.world.app.object_id in text
        assert file == REMOVAL or f"'{READER.guid}' // Reader" in text


async def test_a_link_ends(lab: Lab) -> None:
    integration = await _customer(lab)
    long_ago = datetime.now(UTC) - LINK_LIFE - timedelta(minutes=1)
    published = await _files(lab, long_ago).publish(integration)
    with pytest.raises(BadLinkError):
        await _files(lab).read(integration.id, SUBSCRIPTION, dict(parse_qsl(published.queries[SUBSCRIPTION])))


async def test_a_link_opens_nothing_but_its_file(lab: Lab) -> None:
    contoso, fabrikam = await _customer(lab), await _customer(lab, "fabrikam")
    published = await _files(lab).publish(contoso)
    await _files(lab).publish(fabrikam)
    query = dict(parse_qsl(published.queries[MANAGEMENT_GROUP]))
    for integration_id, file in ((contoso.id, SUBSCRIPTION), (fabrikam.id, MANAGEMENT_GROUP)):
        with pytest.raises(BadLinkError):
            await _files(lab).read(integration_id, file, query)


async def test_a_link_that_was_changed_opens_nothing(lab: Lab) -> None:
    integration = await _customer(lab)
    query = dict(parse_qsl((await _files(lab).publish(integration)).queries[SUBSCRIPTION]))
    later = (datetime.now(UTC) + timedelta(days=400)).strftime("%Y-%m-%dT%H:%M:%SZ")
    for wrong in (
        {},
        {"sig": "x"},
        {**query, "sig": query["sig"][::-1]},
        {**query, "se": later},
        {**query, "sp": "rwd"},
        {name: value for name, value in query.items() if name != "se"},
    ):
        with pytest.raises(BadLinkError):
            await _files(lab).read(integration.id, SUBSCRIPTION, wrong)


async def test_what_else_a_visitor_sends_is_no_part_of_the_request(lab: Lab) -> None:
    integration = await _customer(lab)
    query = dict(parse_qsl((await _files(lab).publish(integration)).queries[SUBSCRIPTION]))
    text = await _files(lab).read(integration.id, SUBSCRIPTION, {**query, "comp": "metadata", "restype": "x"})
    assert "registrationDefinitions" in text


async def test_a_new_link_leaves_the_old_one_good(lab: Lab) -> None:
    integration = await _customer(lab)
    first = await _files(lab).publish(integration)
    await _files(lab).publish(integration)
    assert await _files(lab).read(integration.id, REMOVAL, dict(parse_qsl(first.queries[REMOVAL])))


@pytest.mark.parametrize(
    ("roles", "why"),
    [
        ((READER.guid, EVENT_HUBS_DATA_OWNER.guid), "Azure Event Hubs Data Owner: it has data actions"),
        ((OWNER.guid,), "Owner: it can give roles to others"),
        ((a_guid(404),), f"{a_guid(404)}, which is no role"),
    ],
    ids=["data actions", "owner", "unknown"],
)
async def test_roles_that_cannot_be_delegated_are_not_offered(
    lab: Lab, roles: tuple[str, ...], why: str
) -> None:
    integration = await _customer(lab)
    with pytest.raises(OfferError, match=re.escape(why)):
        await _files(lab, offer_roles=roles).publish(integration)


async def test_other_roles_can_be_offered(lab: Lab) -> None:
    integration = await _customer(lab)
    files = _files(lab, offer_roles=(READER.guid, MONITORING_CONTRIBUTOR.guid))
    query = (await files.publish(integration)).queries[SUBSCRIPTION]
    text = await files.read(integration.id, SUBSCRIPTION, dict(parse_qsl(query)))
    assert f"  '{MONITORING_CONTRIBUTOR.guid}' // Monitoring Contributor\n]" in text
    assert "Log Analytics Contributor" not in text


async def test_who_does_not_know_its_own_identity_offers_nothing(account: str) -> None:
    async with open_lab(account, LIGHTKEEPER_PRINCIPAL_ID="") as lab:
        integration = await _customer(lab)
        with pytest.raises(OfferError, match="LIGHTKEEPER_PRINCIPAL_ID"):
            await _files(lab).publish(integration)
