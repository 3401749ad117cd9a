"""What customers are given: one command per task, and files in which nothing is left blank."""

import shlex
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.onboarding.offer import (
    FILES,
    MANAGEMENT_GROUP,
    PROVIDERS,
    REMOVAL,
    SUBSCRIPTION,
    Offer,
    filled,
    onboard,
    onboard_one,
    prepare,
    remove,
)
from tests.helpers.facts import CUSTOMER_TENANT, PROVIDER_TENANT, a_guid, a_role, an_integration

_CUSTOMER = Path(__file__).resolve().parents[2] / "infra" / "customer"
_OFFER = Offer(PROVIDER_TENANT, a_guid(1), "Contoso", (a_role("Reader", id=a_guid(2)),))


def _file(name: str) -> str:
    return (_CUSTOMER / name).read_text(encoding="utf-8")


def test_without_a_management_group_the_whole_tenant_is_delegated() -> None:
    words = shlex.split(onboard(an_integration()).command)
    assert words[:4] == ["az", "deployment", "mg", "create"]
    assert words[words.index("--management-group-id") + 1] == CUSTOMER_TENANT
    assert words[words.index("--location") + 1] == "westeurope"
    assert words[words.index("--name") + 1] == "lightkeeper-contoso"
    assert words[words.index("--template-file") + 1] == MANAGEMENT_GROUP


def test_every_provider_is_registered_in_every_subscription_before(tmp_path: Path) -> None:
    az = tmp_path / "az"
    az.write_text('#!/bin/sh\ncase $1 in account) printf "1\\n2\\n" ;; *) echo "$@" ;; esac\n')
    az.chmod(0o755)
    command = ["/bin/sh", "-c", prepare(an_integration())]
    done = subprocess.run(  # noqa: S603
        command, env={"PATH": f"{tmp_path}:/usr/bin:/bin"}, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == [
        f"provider register --namespace {name} --subscription {each}" for each in "12" for name in PROVIDERS
    ]
    assert f"homeTenantId=='{CUSTOMER_TENANT}'" in command[2]


def test_a_management_group_narrows_the_offer_and_what_is_removed() -> None:
    integration = replace(an_integration(), management_group_id="Contoso-Prod")
    words = shlex.split(onboard(integration).command)
    assert words[words.index("--management-group-id") + 1] == "Contoso-Prod"
    assert shlex.split(remove(integration).command) == ["sh", REMOVAL, "Contoso-Prod"]


def test_what_a_customer_typed_stays_one_word_of_the_command() -> None:
    integration = replace(an_integration(), management_group_id="x; rm -rf (~)")
    assert "x; rm -rf (~)" in shlex.split(onboard(integration).command)
    assert "x; rm -rf (~)" in shlex.split(remove(integration).command)


def test_a_single_subscription_needs_no_management_group() -> None:
    words = shlex.split(onboard_one(an_integration()).command)
    assert words[:6] == ["az", "deployment", "sub", "create", "--subscription", "<id>"]
    assert words[words.index("--template-file") + 1] == SUBSCRIPTION


@pytest.mark.parametrize("name", [MANAGEMENT_GROUP, SUBSCRIPTION])
def test_a_filled_file_needs_no_parameters(name: str) -> None:
    lines = filled(name, _file(name), _OFFER).splitlines()
    assert not [line for line in lines if line.startswith("param ") and "=" not in line]
    assert f"param providerTenantId string = '{PROVIDER_TENANT}'" in lines
    assert f"param principalId string = '{a_guid(1)}'" in lines
    assert "param brand string = 'Contoso'" in lines
    start = lines.index("param roles string[] = [")
    assert lines[start + 1 : start + 3] == [f"  '{a_guid(2)}' // Reader", "]"]


def test_the_name_of_a_role_cannot_add_a_line_to_the_file() -> None:
    role = a_role("Reader\n  'x'\n]\nvar roles = [", id=a_guid(2))
    lines = filled(MANAGEMENT_GROUP, _file(MANAGEMENT_GROUP), replace(_OFFER, roles=(role,))).splitlines()
    start = lines.index("param roles string[] = [")
    assert lines[start + 2] == "]"


def test_what_is_not_blank_stays_as_it_is() -> None:
    blank, done = _file(MANAGEMENT_GROUP), filled(MANAGEMENT_GROUP, _file(MANAGEMENT_GROUP), _OFFER)
    tail = blank.index("@description('IDs of subscriptions")
    assert done.endswith(blank[tail:])


def test_a_file_without_the_blanks_is_an_error_and_is_not_offered() -> None:
    for name in FILES:
        with pytest.raises(ValueError, match="0 times"):
            filled(name, "targetScope = 'subscription'\n", _OFFER)


@given(st.from_regex(r"[A-Za-z][A-Za-z0-9]{1,30}", fullmatch=True))
def test_the_script_knows_whose_it_is_whatever_the_brand(brand: str) -> None:
    lines = filled(REMOVAL, _file(REMOVAL), replace(_OFFER, brand=brand)).splitlines()
    assert f"PROVIDER_TENANT_ID={PROVIDER_TENANT}" in lines
    assert f"BRAND={brand}" in lines


def test_the_script_can_be_run_by_any_shell_and_asks_for_what_it_lacks(tmp_path: Path) -> None:
    script = tmp_path / REMOVAL
    script.write_text(filled(REMOVAL, _file(REMOVAL), _OFFER))
    done = subprocess.run(["/bin/sh", str(script)], capture_output=True, text=True, check=False)  # noqa: S603
    assert done.returncode == 2
    assert "usage: sh remove.sh <management group>" in done.stderr
