"""Event hubs as code are those that the app makes: the same names, settings and places."""

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from shared.arm.event_hubs import RULE_NAME, RULE_RIGHTS, hub_body, namespace_body
from shared.model.jobs import Cause
from shared.model.mapping import replay
from shared.portal.mapping import mapping_view
from shared.settings import Settings
from shared.store.mappings import mapping_text
from shared.sync.assignments import MOST_NAMESPACE_NAME, namespace_name, new_assignments
from shared.sync.event_hubs import wanted_hub, wanted_namespace
from shared.sync.mapping import mapped, next_version
from tests.helpers.facts import NOW, a_guid, an_integration, settings
from tests.infra.evaluate import INFRA, Resource, deploy, parameters_of

_REGIONS = ["eastus", "westeurope", "australiasoutheast", "germanywestcentral", "usgovvirginia"]
_LONGEST_REGION = 21  # `jioindiacentral`, `southafricanorth`, `australiasoutheast` and the like are shorter
_MAPPINGS = st.dictionaries(
    st.sampled_from(_REGIONS),
    st.lists(st.from_regex(r"[a-z][a-z0-9-]{1,10}[a-z0-9]", fullmatch=True), unique=True, max_size=25),
    max_size=4,
)


def _deployed(
    settings: Settings, mapping: Mapping[str, Sequence[str]], **more: object
) -> dict[str, list[Resource]]:
    found = deploy(
        INFRA / "eventhubs/main.bicep",
        {
            "eventHubMapping": mapping,
            "namespacePrefix": settings.namespace_prefix,
            "captureStorageId": settings.capture_storage_id,
            "captureIdentityId": settings.capture_identity_id,
            "hubsPerNamespace": settings.hubs_per_namespace,
            "partitions": settings.hub_partitions,
            "retentionHours": settings.hub_retention_hours,
            "captureIntervalSeconds": settings.capture_interval_seconds,
            "captureSizeBytes": settings.capture_size_bytes,
            **more,
        },
    )
    by_type: dict[str, list[Resource]] = {}
    for each in found.resources:
        by_type.setdefault(each.type.removeprefix("Microsoft.EventHub/"), []).append(each)
    return by_type


def _hubs(deployed: dict[str, list[Resource]]) -> list[tuple[str, str, str]]:
    """Region, namespace and hub of everything."""
    regions = {each.name: each.body["location"] for each in deployed.get("namespaces", [])}
    pairs = [each.name.split("/") for each in deployed.get("namespaces/eventhubs", [])]
    assert len(regions) == len(deployed.get("namespaces", [])), "a namespace is made twice"
    return sorted((regions[namespace], namespace, hub) for namespace, hub in pairs)


def _made_by_the_app(mapping: Mapping[str, Sequence[str]], settings: Settings) -> list[tuple[str, str, str]]:
    """Where the app puts customers who came in the order in which each region lists them."""
    made: list[tuple[str, str, str]] = []
    for region, customers in mapping.items():
        integrations = [
            an_integration(
                id=a_guid(i), customer=name, home_region=region, created_at=NOW + timedelta(seconds=i)
            )
            for i, name in enumerate(customers)
        ]
        rows = new_assignments(
            integrations,
            [],
            regions={},
            capacity=settings.hubs_per_namespace,
            prefix=settings.namespace_prefix,
            now=NOW,
        )
        made += [(row.region, row.namespace, row.hub) for row in rows]
    return sorted(made)


@effort(max_examples=30)
@given(mapping=_MAPPINGS, capacity=st.integers(1, 12))
def test_hubs_are_where_the_app_puts_them(mapping: dict[str, list[str]], capacity: int) -> None:
    here = settings(LIGHTKEEPER_HUBS_PER_NAMESPACE=str(capacity), LIGHTKEEPER_NAMESPACE_PREFIX="keeper")
    assert _hubs(_deployed(here, mapping)) == _made_by_the_app(mapping, here)


@effort(max_examples=20)
@given(st.permutations([f"customer-{number:02d}" for number in range(23)]))
def test_whoever_was_put_somewhere_stays_there_whatever_the_order(names: list[str]) -> None:
    here = settings()
    integrations = [
        an_integration(id=a_guid(i), customer=name, created_at=NOW + timedelta(seconds=i))
        for i, name in enumerate(names)
    ]
    rows = new_assignments(integrations, [], regions={}, capacity=10, prefix=here.namespace_prefix, now=NOW)
    version = next_version([], mapped(rows), Cause.CYCLE, NOW)
    assert version is not None
    for published in (mapping_view([version]), json.loads(mapping_text(replay([version])))):
        found = _deployed(here, published["eventHubMapping"], hubs=published["hubs"])
        assert _hubs(found) == sorted((row.region, row.namespace, row.hub) for row in rows)


def test_namespaces_hubs_and_rules_have_the_settings_that_the_app_gives_them() -> None:
    here = settings(
        LIGHTKEEPER_HUB_PARTITIONS="8",
        LIGHTKEEPER_HUB_RETENTION_HOURS="24",
        LIGHTKEEPER_CAPTURE_INTERVAL_SECONDS="300",
        LIGHTKEEPER_CAPTURE_SIZE_BYTES="10485760",
    )
    found = _deployed(here, {"westeurope": ["contoso"]})

    (namespace,), (rule,), (hub,) = (
        found[kind] for kind in ("namespaces", "namespaces/authorizationRules", "namespaces/eventhubs")
    )
    body = {key: value for key, value in namespace.body.items() if key not in ("name", "tags")}
    assert body == namespace_body(wanted_namespace(here, "westeurope"))
    assert namespace.body["tags"] == {}
    assert hub.body["properties"] == hub_body(wanted_hub(here))["properties"]
    assert rule.name.rpartition("/")[2] == RULE_NAME
    assert frozenset(rule.body["properties"]["rights"]) == RULE_RIGHTS
    assert {namespace.version, rule.version, hub.version} == {"2026-01-01"}


def test_what_is_not_said_is_what_the_app_takes_unless_told_otherwise() -> None:
    shared = json.loads((INFRA / "eventhubs/settings.json").read_text(encoding="utf-8"))
    here = settings()
    assert shared["hubsPerNamespace"] == here.hubs_per_namespace
    assert shared["hub"] == {"partitions": here.hub_partitions, "retentionHours": here.hub_retention_hours}
    assert shared["capture"]["intervalSeconds"] == here.capture_interval_seconds
    assert shared["capture"]["sizeBytes"] == here.capture_size_bytes


@given(
    prefix=st.from_regex(r"[a-z][a-z0-9-]{1,18}[a-z0-9]", fullmatch=True),
    region=st.from_regex(rf"[a-z][a-z0-9]{{2,{_LONGEST_REGION - 1}}}", fullmatch=True),
    shard=st.integers(1, 1000),
)
def test_names_never_need_the_hash_that_a_template_cannot_compute(
    prefix: str, region: str, shard: int
) -> None:
    pattern = json.loads((INFRA / "eventhubs/settings.json").read_text(encoding="utf-8"))["namespaceName"]
    name = pattern.format(prefix, region, shard)
    assert len(name) <= MOST_NAMESPACE_NAME
    assert name == namespace_name(prefix, region, shard)


@pytest.mark.parametrize("only", [True, False])
def test_namespaces_can_be_closed_to_all_but_trusted_services(only: bool) -> None:
    found = _deployed(settings(), {"westeurope": ["contoso"]}, trustedServicesOnly=only)
    rules = [each.body["properties"] for each in found.get("namespaces/networkRuleSets", [])]
    wanted = {"defaultAction": "Deny", "trustedServiceAccessEnabled": True, "publicNetworkAccess": "Enabled"}
    assert rules == ([wanted] if only else [])


def test_the_example_mapping_has_the_shape_that_the_app_publishes() -> None:
    example = json.loads((INFRA / "eventhubs/event-hub-mapping.json").read_text(encoding="utf-8"))
    hubs = {(hub["region"], hub["customer"]) for hub in example["hubs"]}
    listed = {(region, name) for region, names in example["eventHubMapping"].items() for name in names}
    assert hubs == listed
    assert example.keys() == mapping_view([]).keys()
    file, given_there = parameters_of(INFRA / "eventhubs/main.bicepparam")
    assert len(deploy(file, given_there).of("Microsoft.EventHub/namespaces/eventhubs")) == len(hubs)
