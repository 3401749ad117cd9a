"""Every recorded call of the real Azure is played again, and the answers compared in shape.

A call that the simulated Azure does not know is listed here with the reason, and is then refused.
"""

import re
from pathlib import Path

import pytest

from tests.local.azure.replay import Recording, Stage, differences, recordings

_FILES = (
    "async-operations",
    "data-exports",
    "diagnostic-settings",
    "diagnostic-settings-categories",
    "errors",
    "eventhub-authorization-rules",
    "eventhub-namespaces",
    "eventhub-network-rules",
    "eventhubs",
    "managed-services",
    "policy",
    "provider-registration",
    "resources-list",
    "subscription-diagnostic-settings",
    "subscriptions",
    "workspaces",
)
_POLICY = "the customer's deployment makes policies, and Lightkeeper never touches them"
_DEPLOYMENT = "the customer's tools deploy, Lightkeeper does not"
_ELSEWHERE = "a service that Lightkeeper neither reads nor writes"
_NEVER_MADE = {
    r"microsoft\.authorization/policy": _POLICY,
    r"test\.shoebox": "a provider of Microsoft's own tests, which nobody can have",
    r"microsoft\.eventhub/clusters": "namespaces are of the tier Standard, never in a dedicated cluster",
    r"microsoft\.eventhub/operations": "a list of what roles can allow, for people",
    r"disasterrecoveryconfigs": "namespaces are not paired",
    r"microsoft\.resources/deployments": _DEPLOYMENT,
    r"microsoft\.authorization/roleassignments": _DEPLOYMENT,
    r"microsoft\.management/managementgroups": _DEPLOYMENT,
    r"microsoft\.devices": _ELSEWHERE,
    r"microsoft\.compute/(disks|availabilitysets)": _ELSEWHERE,
    r"microsoft\.network/(networkinterfaces|publicipaddresses|virtualnetworks)": _ELSEWHERE,
    r"microsoft\.network/networksecuritygroups/\{\}$": _ELSEWHERE,
    r"microsoft\.insights/actiongroups": _ELSEWHERE,
}
_OPTIONAL = {
    r"/providers/microsoft\.(?!eventhub|insights|operational|managed)": {
        # What else a provider's first type can do is no business of ours.
        "apiProfiles",
        "capabilities",
        "defaultApiVersion",
        "authorization",
    },
    r"^/tenants$": {
        # Only callers who may read the directory see more of it than its ID.
        "countryCode",
        "defaultDomain",
        "displayName",
        "domains",
        "tenantBrandingLogoUrl",
        "tenantType",
    },
    r"/resources$": {"sku", "kind", "managedBy", "identity", "plan"},  # if a resource has them
    r"/workspaces/\{\}$": {"portalUrl", "capacityReservationLevel"},  # oldest versions; one kind of price
    r"/namespaces$": {"clusterArmId", "alternateName", "principalId", "tenantId", "identity"},
}


def _lacking(call: Recording, found: list[str]) -> list[str]:
    """The differences that are not excused."""
    optional = {
        key for pattern, keys in _OPTIONAL.items() if re.search(pattern, call.template) for key in keys
    }
    return [path for path in found if path.rpartition("/")[2] not in optional]


def _is_made(call: Recording) -> bool:
    return not any(re.search(pattern, call.template) for pattern in _NEVER_MADE)


@pytest.mark.parametrize("file", _FILES)
def test_every_recorded_call_has_an_answer_of_the_recorded_shape(
    samples: Path, subtests: pytest.Subtests, file: str
) -> None:
    for call in recordings(samples, file):
        if not _is_made(call):
            continue
        with subtests.test(f"{call.method} {call.template} {call.status}"):
            assert _lacking(call, differences(call, Stage().play(call))) == []


def test_no_recording_is_left_out(samples: Path) -> None:
    assert {path.stem for path in (samples / "arm").glob("*.jsonl")} == set(_FILES)


def test_what_is_never_called_is_refused(samples: Path) -> None:
    stage = Stage()
    answers = {
        f"{call.method} {call.template}": stage.ask(
            call.method, stage.path_of(call), call.body, **call.query
        ).status
        for file in _FILES
        for call in recordings(samples, file)
        if not _is_made(call) and file != "errors"
    }
    assert answers
    assert [call for call, status in answers.items() if status < 400] == []
