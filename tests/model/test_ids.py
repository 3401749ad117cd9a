"""Identifiers: whatever Azure's spelling, one spelling of ours."""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.model.ids import (
    CUSTOMER_SLUG,
    REGION,
    ResourceId,
    hash_of_text,
    normal_guid,
    normal_region,
    parse_resource_id,
    stable_hash,
)

_GUID = "0a1b2c3d-1111-4222-8333-0123456789ab"
_characters = st.one_of(st.characters(), st.sampled_from("\x1f\xff\ud83d\ude00a"))
_parts = st.lists(st.text(_characters, max_size=3), min_size=1, max_size=3)
_LOGS = f"/subscriptions/{_GUID}/resourceGroups/rg-Logs/providers/Microsoft.OperationalInsights"
_WORKSPACE = f"{_LOGS}/workspaces/Central"


@pytest.mark.parametrize(
    "spelling",
    [
        _WORKSPACE,
        _WORKSPACE.upper(),
        _WORKSPACE.lower(),
        _WORKSPACE.replace("resourceGroups", "resourcegroups"),
        f"  {_WORKSPACE}/\n",
    ],
)
def test_a_resource_id_reads_the_same_however_it_is_spelled(spelling: str) -> None:
    assert parse_resource_id(spelling) == ResourceId(
        subscription_id=_GUID,
        resource_group="rg-logs",
        resource_type="microsoft.operationalinsights/workspaces",
        name="central",
    )


def test_the_type_of_a_child_resource_holds_the_types_of_its_parents() -> None:
    found = parse_resource_id(
        f"/subscriptions/{_GUID}/resourceGroups/rg/providers/Microsoft.EventHub/namespaces/ns/eventhubs/hub"
    )
    assert (found.resource_type, found.name) == ("microsoft.eventhub/namespaces/eventhubs", "hub")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param(_WORKSPACE[1:], id="no slash at the start"),
        pytest.param(f"/subscriptions/{_GUID}", id="a subscription alone"),
        pytest.param(f"/subscriptions/{_GUID}/resourceGroups/rg", id="a resource group alone"),
        pytest.param(f"/subscriptions/{_GUID}/resourceGroups/rg/workspaces/w", id="no provider"),
        pytest.param(f"{_WORKSPACE.rsplit('/', 1)[0]}", id="no name"),
        pytest.param(f"{_WORKSPACE}/tables", id="a type too much"),
        pytest.param(f"{_WORKSPACE}//tables/t", id="an empty segment"),
        pytest.param(_WORKSPACE.replace(_GUID, "z" * 36), id="no GUID"),
        pytest.param(_WORKSPACE.replace(_GUID, "-" * 36), id="hyphens only"),
        pytest.param(f"{_WORKSPACE}\n{_WORKSPACE}", id="two lines"),
        pytest.param(_WORKSPACE.replace("Central", "../../x"), id="a name that climbs"),
        pytest.param(_WORKSPACE.replace("rg-Logs", ".."), id="a group that climbs"),
        pytest.param(f"{_WORKSPACE}?api-version=1", id="a query"),
    ],
)
def test_what_is_no_resource_id_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="resource"):
        parse_resource_id(text)


@given(st.text(max_size=200))
def test_a_resource_id_is_read_or_refused_and_nothing_else(text: str) -> None:
    try:
        found = parse_resource_id(text)
    except ValueError:
        return
    assert found.subscription_id == normal_guid(found.subscription_id)


@given(st.uuids(), st.booleans())
def test_every_guid_has_one_spelling(value: uuid.UUID, upper: bool) -> None:
    text = str(value).upper() if upper else str(value)
    assert normal_guid(f" {text} ") == str(value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "contoso.onmicrosoft.com",
        _GUID[:-1],
        _GUID + "0",
        _GUID.replace("-", ""),
        f"{{{_GUID}}}",
        "urn:" + "0" * 32,
        "{" + "0" * 32 + "}--",
        "0" * 32 + "----",
        "\u0660" * 8 + _GUID[8:],
        "0_0_0_0_" + _GUID[8:],
        "g" + _GUID[1:],
    ],
)
def test_only_the_usual_36_characters_are_a_guid(text: str) -> None:
    with pytest.raises(ValueError, match="GUID"):
        normal_guid(text)


@pytest.mark.parametrize(
    ("azure", "ours"),
    [("West Europe", "westeurope"), ("westeurope", "westeurope"), ("EAST US 2", "eastus2"), ("", "")],
)
def test_a_region_reads_as_resource_manager_writes_it(azure: str, ours: str) -> None:
    assert normal_region(azure) == ours


@pytest.mark.parametrize("region", ["westeurope", "eastus2", "usgovvirginia", "australiacentral2"])
def test_names_of_regions_are_known_as_such(region: str) -> None:
    assert REGION.fullmatch(region)


@pytest.mark.parametrize("text", ["", "we", "West Europe", "2east", "east-us", "e" * 41, "westeurope\n"])
def test_other_text_is_no_region(text: str) -> None:
    assert not REGION.fullmatch(text)


@pytest.mark.parametrize("slug", ["abc", "contoso", "a-b", "contoso-2", "a" * 40])
def test_a_slug_is_short_lower_case_text(slug: str) -> None:
    assert CUSTOMER_SLUG.fullmatch(slug)


@pytest.mark.parametrize(
    "text", ["", "ab", "Contoso", "2fast", "-ab", "ab-", "a b", "a_b", "a/b", "a.b", "ä-b", "a" * 41, "abc\n"]
)
def test_what_cannot_name_a_hub_and_a_folder_is_no_slug(text: str) -> None:
    assert not CUSTOMER_SLUG.fullmatch(text)


@given(_parts)
def test_a_hash_depends_on_its_parts_alone_and_is_a_safe_key(parts: list[str]) -> None:
    digest = stable_hash(*parts)
    assert digest == stable_hash(*parts)
    assert len(digest) == 32
    assert set(digest) <= set("0123456789abcdef")


@given(_parts, _parts)
def test_different_parts_have_different_hashes(one: list[str], other: list[str]) -> None:
    assert (stable_hash(*one) == stable_hash(*other)) == (one == other)


@given(_parts, _parts)
def test_where_one_part_ends_and_the_next_begins_counts(one: list[str], other: list[str]) -> None:
    assert stable_hash("\x1f".join([*one, *other])) != stable_hash(*one, *other)


@given(st.text(max_size=200))
def test_the_hash_of_one_text_is_the_same_however_long_it_is(text: str) -> None:
    assert hash_of_text(text) == stable_hash(text)


def test_hashes_stay_what_they_are_from_one_release_to_the_next() -> None:
    # They are keys of rows and names of blobs; another value would orphan what is stored.
    assert stable_hash("capture", "ns/hub/0/2026/11/21/12/00/00.avro") == "250b0a87524bdba01c960c9e2b6b2da4"
