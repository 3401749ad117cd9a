"""What the API says about onboarding, and what it serves to who has a link and no key."""

import json
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from local.azure.roles import EVENT_HUBS_DATA_OWNER
from shared.model.answers import PROBLEM
from shared.onboarding.offer import FILES
from shared.portal.onboarding import OnboardingApi
from tests.helpers.facts import a_guid
from tests.helpers.lab import Lab, open_lab

_ORIGIN = "https://lightkeeper.example"


async def _onboarding(lab: Lab) -> tuple[str, dict[str, Any], OnboardingApi]:
    """An integration's ID, what its registration answered, and the API."""
    body = json.dumps({"customer": "contoso", "tenantId": lab.world.guid()}).encode()
    value = json.loads((await lab.api.register(body, _ORIGIN)).body)
    return value["id"], value["onboarding"], lab.api._onboarding


async def test_every_task_has_a_command_and_a_link_to_its_file(lab: Lab) -> None:
    integration_id, shown, api = await _onboarding(lab)
    assert shown["endsAt"].endswith("Z")
    served = []
    for task in (shown, shown["oneSubscription"], shown["removal"]):
        link = urlsplit(task["template"])
        file = link.path.rpartition("/")[2]
        served.append(file)
        assert link.path == f"/api/integrations/{integration_id}/{file}"
        assert task["download"].startswith(f"curl -fsSL -o {file} ")
        assert file in task["command"]
        answer = await api.file(integration_id.upper(), file, dict(parse_qsl(link.query)))
        assert (answer.status, answer.content_type) == (200, "text/plain")
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.body
    assert tuple(served) == FILES
    assert "Microsoft.ManagedServices" in shown["preparation"]["command"]


async def test_a_fresh_link_can_be_asked_for(lab: Lab) -> None:
    integration_id, first, api = await _onboarding(lab)
    answer = await api.onboarding(integration_id.upper(), _ORIGIN)
    assert answer.status == 200
    assert json.loads(answer.body).keys() == first.keys()
    for nobody in (a_guid(404), "", "contoso"):
        assert (await api.onboarding(nobody, _ORIGIN)).status == 404


async def test_without_a_good_link_nothing_is_served_and_nothing_is_told(lab: Lab) -> None:
    integration_id, shown, api = await _onboarding(lab)
    query = dict(parse_qsl(urlsplit(shown["template"]).query))
    answers = [
        await api.file(where, "onboarding.bicep", given)
        for where, given in ((integration_id, {}), (a_guid(404), query), ("../x", query), ("", {}))
    ]
    assert {(answer.status, answer.content_type) for answer in answers} == {(403, PROBLEM)}
    assert len({answer.body for answer in answers}) == 1


async def test_a_registration_stands_even_if_nothing_can_be_offered(account: str) -> None:
    async with open_lab(account, LIGHTKEEPER_OFFER_ROLES=EVENT_HUBS_DATA_OWNER.guid) as lab:
        integration_id, shown, api = await _onboarding(lab)
        answer = await api.onboarding(integration_id, _ORIGIN)
    assert list(shown) == ["problem"]
    assert "data actions" in shown["problem"]
    assert (answer.status, answer.content_type) == (409, PROBLEM)
    assert "data actions" in json.loads(answer.body)["detail"]
