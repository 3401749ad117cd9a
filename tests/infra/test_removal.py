"""Taking everything back: the script is run against a stand-in for the command line of Azure."""

import re
import subprocess
from pathlib import Path

import pytest

from shared.model.monitored import MONITORED_TYPES
from shared.onboarding.offer import REMOVAL, Offer, filled
from tests.helpers.facts import PROVIDER_TENANT, a_guid
from tests.infra.evaluate import INFRA

_GROUP = "/providers/Microsoft.Management/managementGroups/contoso/providers/Microsoft.Authorization"
_HERE = f"/subscriptions/{a_guid(1)}"
_VAULT = f"{_HERE}/resourceGroups/rg_data.(old)/providers/Microsoft.KeyVault/vaults/keys"
_WORKSPACE = f"{_HERE}/resourceGroups/logs/providers/Microsoft.OperationalInsights/workspaces/entra"

_AZ = r"""#!/bin/sh
# Answers listings from files but for one, logs deletions, and refuses to delete a definition the first time.
case "$1 $2" in
"account show") echo tenant; exit ;;
"account list")
    echo "$SUBSCRIPTION"
    case "$*" in *"homeTenantId=='tenant'"*) ;; *) echo delegated-to-us ;; esac
    exit
    ;;
"resource list")
    [ "$UNLISTED" != "$6" ] || exit 1
    file=$ANSWERS/$(echo "$6" | tr / _)
    [ ! -e "$file" ] || cat "$file"
    exit 0
    ;;
esac
path=${5%%\?*}
if [ "$3" != delete ]; then
    if [ -n "$UNLISTED" ]; then case "$path" in *"$UNLISTED") exit 1 ;; esac; fi
    file=$ANSWERS/$(echo "$path" | tr / _)
    title=$(echo "$7" | sed -n "s/.*displayName=='\([^']*\)'.*/\1/p")
    [ ! -e "$file" ] || grep -F -- "$title" "$file" | cut -d'|' -f1 | tr ' ' '\t'
    exit 0
fi
case "$path" in
*registrationDefinitions*) if [ ! -e "$ANSWERS/refused" ]; then touch "$ANSWERS/refused"; exit 1; fi ;;
esac
echo "$path" >> "$ANSWERS/log"
"""


@pytest.fixture
def answers(tmp_path: Path) -> Path:
    """What Azure lists, by path: each line is what is printed, and after `|` the title it is found by."""
    folder = tmp_path / "answers"
    folder.mkdir()
    definition = f"{_HERE}/providers/Microsoft.ManagedServices/registrationDefinitions/offer"
    listed = {
        f"{_GROUP}/policyAssignments": (
            f"{_GROUP}/policyAssignments/log-ingest {a_guid(2)}|Lightkeeper Azure Log Ingest\n"
            f"{_GROUP}/policyAssignments/automation {a_guid(3)}|Lightkeeper Automation Resource Group\n"
        ),
        f"{_GROUP}/roleAssignments": f"{_GROUP}/roleAssignments/role\n",
        f"{_GROUP}/policyDefinitions": (
            f"{_GROUP}/policyDefinitions/log-ingest|Lightkeeper Azure Log Ingest\n"
            f"{_GROUP}/policyDefinitions/automation|Lightkeeper Automation Resource Group\n"
        ),
        definition.rpartition("/")[0]: f"{definition}\n",
        f"{_HERE}/providers/Microsoft.ManagedServices/registrationAssignments": (
            f"{_HERE}/providers/Microsoft.ManagedServices/registrationAssignments/offer\n"
        ),
        f"{_HERE}/resourceGroups": f"{_HERE}/resourceGroups/LightkeeperAutomation\n",
        f"{_HERE}/providers/Microsoft.Insights/diagnosticSettings": "Lightkeeper-Logs\n",
        "microsoft.keyvault/vaults": f"{_VAULT}\n{_VAULT}-without\n",
        f"{_VAULT}/providers/Microsoft.Insights/diagnosticSettings": "Lightkeeper-Logs\n",
        "Microsoft.OperationalInsights/workspaces": f"{_WORKSPACE}\n",
        f"{_WORKSPACE}/dataExports": "Lightkeeper-Entra-Data-Export\n",
    }
    for path, text in listed.items():
        (folder / path.replace("/", "_")).write_text(text)
    return folder


def _run(
    answers: Path, *arguments: str, unlisted: str = ""
) -> tuple[subprocess.CompletedProcess[str], list[str]]:
    """How the script ends, and the paths of what it deletes, in this order."""
    tools = answers.parent / "tools"
    tools.mkdir(exist_ok=True)
    (tools / "az").write_text(_AZ)
    (tools / "az").chmod(0o755)
    script = answers.parent / REMOVAL
    text = (INFRA / "customer" / REMOVAL).read_text(encoding="utf-8")
    script.write_text(filled(REMOVAL, text, Offer(PROVIDER_TENANT, a_guid(9), "Lightkeeper", ())))
    environment = {
        "PATH": f"{tools}:/usr/bin:/bin",
        "ANSWERS": str(answers),
        "SUBSCRIPTION": a_guid(1),
        "REMOVE_PAUSE_SECONDS": "0",
        "UNLISTED": unlisted,
    }
    command = ["/bin/sh", str(script), *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    log = answers / "log"
    return done, log.read_text().splitlines() if log.exists() else []


def _removed(answers: Path, *arguments: str) -> list[str]:
    """Paths of what the script deletes, in this order."""
    done, deleted = _run(answers, *arguments)
    assert done.returncode == 0, done.stderr
    return deleted


_IN_SUBSCRIPTION = [
    f"{_HERE}/providers/Microsoft.ManagedServices/registrationAssignments/offer",
    f"{_HERE}/providers/Microsoft.ManagedServices/registrationDefinitions/offer",
    f"{_HERE}/resourceGroups/LightkeeperAutomation",
    f"{_VAULT}/providers/Microsoft.Insights/diagnosticSettings/Lightkeeper-Logs",
    f"{_WORKSPACE}/dataExports/Lightkeeper-Entra-Data-Export",
    f"{_HERE}/providers/Microsoft.Insights/diagnosticSettings/Lightkeeper-Logs",
]


def test_a_subscription_is_left_as_it_was_and_what_is_in_use_is_tried_again(answers: Path) -> None:
    assert _removed(answers, "--subscription", a_guid(1)) == _IN_SUBSCRIPTION


def test_policies_go_before_what_they_would_make_again(answers: Path) -> None:
    policies = [
        f"{_GROUP}/{kind}/{name}"
        for name in ("log-ingest", "automation")
        for kind in ("roleAssignments", "policyAssignments", "policyDefinitions")
    ]
    wanted = [each.replace("roleAssignments/log-ingest", "roleAssignments/role") for each in policies]
    wanted = [each.replace("roleAssignments/automation", "roleAssignments/role") for each in wanted]
    assert _removed(answers, "contoso") == [*wanted, *_IN_SUBSCRIPTION]


def test_where_nothing_is_left_nothing_is_removed(tmp_path: Path) -> None:
    (tmp_path / "answers").mkdir()
    assert _removed(tmp_path / "answers", "contoso") == []


@pytest.mark.parametrize(
    "unlisted",
    [
        "policyAssignments",
        "roleAssignments",
        "policyDefinitions",
        "registrationDefinitions",
        "resourceGroups",
        "dataExports",
    ],
)
def test_it_stops_where_azure_does_not_say_what_there_is(answers: Path, unlisted: str) -> None:
    done, deleted = _run(answers, "contoso", unlisted=f"/{unlisted}")
    assert done.returncode != 0
    assert not [path for path in deleted if f"/{unlisted}/" in path]
    assert f"{_HERE}/providers/Microsoft.Insights/diagnosticSettings/Lightkeeper-Logs" not in deleted


@pytest.mark.parametrize("kind", ["microsoft.keyvault/vaults", "Microsoft.OperationalInsights/workspaces"])
def test_it_stops_where_azure_does_not_say_what_resources_there_are(answers: Path, kind: str) -> None:
    done, deleted = _run(answers, "--subscription", a_guid(1), unlisted=kind)
    assert done.returncode != 0
    assert f"{_HERE}/providers/Microsoft.Insights/diagnosticSettings/Lightkeeper-Logs" not in deleted


def test_every_type_that_can_be_monitored_is_looked_through() -> None:
    text = (INFRA / "customer" / REMOVAL).read_text(encoding="utf-8")
    listed = re.search(r'(?m)^TYPES="\n((?:    .*\n)*)"$', text)
    assert listed is not None
    assert listed[1].split() == list(MONITORED_TYPES)
