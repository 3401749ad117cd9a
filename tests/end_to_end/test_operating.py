"""What an operator sees and does over HTTP: cycles, health, poison messages, the mapping, resources."""

import asyncio
from urllib.parse import quote
from uuid import uuid4

import pytest
from azure.storage.blob.aio import BlobServiceClient

from tests.end_to_end.system import Json, System, a_name, until

_NOBODY = "99999999-2222-4333-8444-555555555555"
_PROBLEM = "application/problem+json"
_ROUTES = [
    ("POST", f"api/integrations/{_NOBODY}/sync"),
    ("DELETE", f"api/integrations/{_NOBODY}"),
    ("GET", f"api/integrations/{_NOBODY}/offboarding"),
    ("GET", f"api/integrations/{_NOBODY}/resources"),
    ("GET", "api/event-hubs/mapping"),
    ("GET", "api/event-hubs/mapping/versions"),
    ("GET", "api/health"),
    ("POST", f"api/poison/sync-resources/{_NOBODY}/replay"),
    ("DELETE", f"api/poison/sync-resources/{_NOBODY}"),
]


@pytest.fixture(scope="module")
async def registered(hurried: System) -> str:
    """An integration of which there is nothing to be seen."""
    made = await hurried.app.register(customer=a_name(), tenantId=str(uuid4()), homeRegion="westeurope")
    return str(made["id"])


async def get(system: System, path: str) -> Json:
    reply = await system.request("GET", f"api/{path}")
    assert reply.status == 200, reply.body
    value: Json = reply.json()
    return value


@pytest.mark.parametrize(("method", "path"), _ROUTES)
@pytest.mark.parametrize("key", [None, "wrong"], ids=["no key", "wrong key"])
async def test_nothing_is_told_or_done_without_the_key(
    hurried: System, method: str, path: str, key: str | None
) -> None:
    reply = await hurried.request(method, path, key=key)
    assert (reply.status, reply.body) == (401, b"")


async def test_a_cycle_is_started_and_asking_again_gives_the_one_that_waits(hurried: System) -> None:
    tenant = await hurried.customer()
    path = f"api/integrations/{tenant.integration_id}/sync"

    replies = await asyncio.gather(*(hurried.request("POST", path) for _ in range(3)))

    assert {reply.status for reply in replies} == {202}
    stamps = [reply.json()["cycle"] for reply in replies]
    assert all(stamps)
    await until(
        lambda: asyncio.to_thread(hurried.log),
        lambda log: any(f"phase=plan integration={tenant.integration_id}" in log for _ in stamps),
    )


async def test_a_message_nobody_can_read_is_shown_and_thrown_away(hurried: System) -> None:
    await hurried.send("sync-offboarding", "no job at all")

    def of_ours(health: Json) -> list[Json]:
        return [each for each in health["poison"]["messages"] if each["queue"] == "sync-offboarding"]

    health = await until(lambda: get(hurried, "health"), lambda seen: bool(of_ours(seen)))
    (message,) = of_ours(health)
    assert message["job"] is None
    assert message["reason"]
    assert not health["healthy"]
    await until(
        lambda: get(hurried, "health"),
        lambda seen: any(problem["where"] == "sync-offboarding" for problem in seen["problems"]),
    )

    back = await hurried.request("POST", f"api/poison/sync-offboarding/{message['id']}/replay")
    assert back.status == 202
    health = await until(
        lambda: get(hurried, "health"),
        lambda seen: bool(of_ours(seen)) and of_ours(seen)[0]["id"] != message["id"],
    )
    (again,) = of_ours(health)
    gone = await hurried.request("DELETE", f"api/poison/sync-offboarding/{again['id']}")
    assert (gone.status, gone.body) == (204, b"")
    health = await get(hurried, "health")
    assert of_ours(health) == []
    assert "sync-offboarding" not in {problem["where"] for problem in health["problems"]}
    assert health["integrations"]["offboarded"] >= 0


@pytest.mark.parametrize(
    "path",
    [
        f"sync-resources/{_NOBODY}",
        "sync-resources/1",
        f"sync-resources-poison/{_NOBODY}",
        f"condensed-ready/{_NOBODY}",
        f"{quote('../x', safe='')}/{_NOBODY}",
    ],
)
async def test_only_messages_that_are_there_can_be_taken(hurried: System, path: str) -> None:
    for method, suffix in (("POST", "/replay"), ("DELETE", "")):
        reply = await hurried.request(method, f"api/poison/{path}{suffix}")
        assert (reply.status, reply.media_type) == (404, _PROBLEM)


async def test_the_mapping_is_published_and_every_version_kept(hurried: System) -> None:
    tenant = await hurried.customer()

    def has_ours(seen: Json) -> bool:
        return tenant.name in seen["eventHubMapping"].get(tenant.region, [])

    mapping = await until(lambda: get(hurried, "event-hubs/mapping"), has_ours)
    assert all(customers == sorted(customers) for customers in mapping["eventHubMapping"].values())
    history = (await get(hurried, "event-hubs/mapping/versions"))["versions"]
    assert [version["version"] for version in history] == list(range(len(history), 0, -1))
    (added,) = [
        version["version"]
        for version in history
        if any(hub["customer"] == tenant.name and hub["region"] == tenant.region for hub in version["added"])
    ]
    assert has_ours(await get(hurried, f"event-hubs/mapping?version={added}"))
    if added > 1:
        assert not has_ours(await get(hurried, f"event-hubs/mapping?version={added - 1}"))
    async with BlobServiceClient.from_connection_string(hurried.stack.azurite.connection_string) as blobs:
        blob = blobs.get_blob_client("published", "event-hub-mapping.json")
        text = await (await blob.download_blob()).readall()
    assert tenant.name.encode() in text


@pytest.mark.parametrize(
    ("version", "status"), [("0", 400), ("-1", 400), ("x", 400), ("1.0", 400), ("999999999", 404)]
)
async def test_only_versions_that_are_there_can_be_had(hurried: System, version: str, status: int) -> None:
    reply = await hurried.request("GET", f"api/event-hubs/mapping?version={version}")
    assert (reply.status, reply.media_type) == (status, _PROBLEM)


async def test_resources_come_in_pages_and_by_coverage(hurried: System) -> None:
    tenant = await hurried.register(1, vaults=5)
    await hurried.monitored(tenant, 5)
    base = f"integrations/{tenant.integration_id}/resources"

    pages, token = [], ""
    while True:
        page = await get(hurried, f"{base}?top=2&coverage=configured{token}")
        pages.append(page["resources"])
        if page["continuationToken"] is None:
            break
        token = f"&continuationToken={quote(page['continuationToken'])}"

    assert max(len(page) for page in pages) == 2
    ids = [resource["id"] for page in pages for resource in page]
    assert len(set(ids)) == len(ids) == 5
    assert all(resource["reason"] is None for page in pages for resource in page)
    assert (await get(hurried, f"{base}?coverage=blocked"))["resources"] == []
    counts = (await hurried.app.integration(tenant.integration_id))["counts"]
    assert counts["resources"]["configured"] == 5
    assert counts["alertExports"]["reasons"].keys() <= {"automation_group_missing"}


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("coverage=everything", "coverage"),
        ("top=0", "top"),
        ("top=1001", "top"),
        ("top=ten", "top"),
        ("continuationToken=x", "continuationToken"),
        ("continuationToken=WzEsMl0=", "continuationToken"),
    ],
)
async def test_a_wrong_query_is_refused_by_name(
    hurried: System, registered: str, query: str, field: str
) -> None:
    reply = await hurried.request("GET", f"api/integrations/{registered}/resources?{query}")
    assert (reply.status, reply.media_type) == (400, _PROBLEM)
    assert [error["field"] for error in reply.json()["errors"]] == [field]
