"""Settings: read once, and everything that is wrong named at once."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from shared.environment import SettingsError, is_loopback
from shared.settings import LEAST_LEDGER_DAYS, SCHEDULES, STORAGE_CONNECTION, Settings
from shared.store.storage import Storage
from tests.helpers.accounts import NoToken
from tests.helpers.facts import ENVIRONMENT, GROUP, IDENTITY_ID, PROVIDER_SUBSCRIPTION, STORAGE_ID, settings

_ROOT = Path(__file__).resolve().parent.parent
_HOST_ONLY = {"FUNCTIONS_WORKER_RUNTIME", "AzureWebJobsStorage"}
"""Variables of the Functions host that the app never reads."""

_UNITS = {"": 1, "KiB": 1 << 10, "MiB": 1 << 20}


class _Recorded(Mapping[str, str]):
    """An environment that remembers what it was asked for."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values
        self.asked: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.asked.add(name)
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


def _sample() -> dict[str, str]:
    values: dict[str, str] = json.loads((_ROOT / "local.settings.sample.json").read_text())["Values"]
    return values


def test_the_least_environment_is_enough() -> None:
    found = settings()
    assert found.storage.connection_string == "UseDevelopmentStorage=true"
    assert found.arm_url == "https://management.azure.com"
    assert found.client_id is None
    assert found.provider_subscription_id == PROVIDER_SUBSCRIPTION
    assert found.hub_resource_group == GROUP
    assert (found.capture_storage_id, found.capture_identity_id) == (STORAGE_ID, IDENTITY_ID)


def test_defaults_are_those_of_the_design() -> None:
    found = settings()
    assert found.setting_name == "Lightkeeper-Logs"
    assert (found.namespace_prefix, found.home_region) == ("lightkeeper", "eastus")
    assert found.subscription_cap == 2000
    assert found.hubs_per_namespace == 10
    assert (found.hub_partitions, found.hub_retention_hours) == (4, 168)
    assert found.correlation_wait_seconds == 15 * 60
    assert found.sweep_seconds == 24 * 60 * 60


def test_an_empty_variable_means_the_default() -> None:
    found = settings(LIGHTKEEPER_BRAND="", LIGHTKEEPER_SUBSCRIPTION_CAP="", AZURE_CLIENT_ID="")
    assert (found.brand, found.subscription_cap, found.client_id) == ("Lightkeeper", 2000, None)


def test_spellings_are_made_one() -> None:
    found = settings(
        LIGHTKEEPER_PROVIDER_TENANT_ID=" AAAAAAAA-0000-4000-8000-00000000000A ",
        LIGHTKEEPER_CAPTURE_STORAGE_ID=STORAGE_ID.upper(),
        LIGHTKEEPER_HOME_REGION="West Europe",
        AZURE_RESOURCE_MANAGER_URL="https://management.usgovcloudapi.net/",
    )
    assert found.provider_tenant_id == "aaaaaaaa-0000-4000-8000-00000000000a"
    assert found.capture_storage_id == STORAGE_ID
    assert found.home_region == "westeurope"
    assert found.arm_url == "https://management.usgovcloudapi.net"


def test_everything_that_is_missing_is_named_at_once() -> None:
    with pytest.raises(SettingsError) as raised:
        Settings.from_environment({})
    for name in ENVIRONMENT.keys() - {STORAGE_CONNECTION}:
        assert name in str(raised.value)
    for service in ("blob", "queue", "table"):
        assert f"{STORAGE_CONNECTION}__{service}ServiceUri" in str(raised.value)


def test_everything_that_is_wrong_is_named_at_once() -> None:
    wrong = {
        "AZURE_RESOURCE_MANAGER_URL": "ftp://management.azure.com",
        "LIGHTKEEPER_PROVIDER_TENANT_ID": "contoso.onmicrosoft.com",
        "LIGHTKEEPER_HUB_RESOURCE_GROUP": "a/b",
        "LIGHTKEEPER_CAPTURE_STORAGE_ID": "lightkeeper",
        "LIGHTKEEPER_BRAND": "Light keeper",
        "LIGHTKEEPER_NAMESPACE_PREFIX": "Light_keeper",
        "LIGHTKEEPER_HOME_REGION": "nowhere!",
        "LIGHTKEEPER_HUB_PARTITIONS": "0",
        "LIGHTKEEPER_CYCLE_SECONDS": "-1",
        "LIGHTKEEPER_SWEEP_SECONDS": "a day",
    }
    with pytest.raises(SettingsError) as raised:
        settings(**wrong)
    assert {name for name in ENVIRONMENT | wrong if name in str(raised.value)} == set(wrong)


def test_a_wrong_value_is_not_quoted() -> None:
    with pytest.raises(SettingsError) as raised:
        settings(LIGHTKEEPER_PROVIDER_TENANT_ID="hunter2", LIGHTKEEPER_CYCLE_SECONDS="hunter2")
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize(
    ("name", "least", "most"),
    [
        ("LIGHTKEEPER_SUBSCRIPTION_CAP", 1, 100_000),
        ("LIGHTKEEPER_HUBS_PER_NAMESPACE", 1, 1000),
        ("LIGHTKEEPER_CAPTURE_INTERVAL_SECONDS", 60, 900),
        ("LIGHTKEEPER_CAPTURE_SIZE_BYTES", 10_485_760, 524_288_000),
        ("LIGHTKEEPER_MAX_ATTEMPTS", 1, 1000),
        ("LIGHTKEEPER_PART_BYTES", 65_536, 67_108_864),
        ("LIGHTKEEPER_POLL_SECONDS", 0, 3600),
        ("LIGHTKEEPER_OPERATION_RETENTION_SECONDS", 172_800, 604_800),
        ("LIGHTKEEPER_LEDGER_DAYS", 32, 3650),
        ("LIGHTKEEPER_CAPTURE_SWEEP_REACH_SECONDS", 600, 86_400),
    ],
)
def test_numbers_have_their_bounds(name: str, least: int, most: int) -> None:
    settings(**{name: str(least)})
    settings(**{name: str(most)})
    for beyond in (least - 1, most + 1):
        with pytest.raises(SettingsError, match=name):
            settings(**{name: str(beyond)})


def test_what_left_is_kept_for_as_long_as_a_capture_file_is_delivered_and_swept() -> None:
    subscription = (_ROOT / "infra" / "app" / "event-subscription.bicep").read_text(encoding="utf-8")
    (minutes,) = re.findall(r"eventTimeToLiveInMinutes: (\d+)", subscription)
    assert int(minutes) * 60 <= settings().operation_retention_seconds
    furthest = settings(LIGHTKEEPER_CAPTURE_SWEEP_REACH_SECONDS="86400")
    assert furthest.capture_sweep_reach_seconds <= furthest.operation_retention_seconds


def test_capture_files_are_deleted_before_those_that_were_never_handled_are_not_found_any_more() -> None:
    provider = (_ROOT / "infra" / "main.bicep").read_text(encoding="utf-8")
    (days,) = re.findall(r"param captureRetentionDays int = (\d+)", provider)
    assert int(days) + 2 <= LEAST_LEDGER_DAYS == settings().ledger_days


@pytest.mark.parametrize("value", ["1.5", "1e3", " 1", "0x10", "1_000", "9" * 5000, "NaN"])
def test_a_number_is_written_in_digits(value: str) -> None:
    with pytest.raises(SettingsError, match="LIGHTKEEPER_SUBSCRIPTION_CAP"):
        settings(LIGHTKEEPER_SUBSCRIPTION_CAP=value)


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080", "http://localhost:1", "http://[::1]:1"])
def test_plain_http_may_stay_on_this_machine(url: str) -> None:
    assert settings(AZURE_RESOURCE_MANAGER_URL=url).arm_url == url


@pytest.mark.parametrize(
    "url",
    [
        "http://management.azure.com",
        "http://127.0.0.1.example.com",
        "http://example.com#127.0.0.1",
        "http://127.0.0.1@example.com",
        "http://10.0.0.1",
        "//127.0.0.1",
        "https://",
        "https:",
        "https://[::1",
        "management.azure.com",
    ],
)
def test_plain_http_may_not_leave_this_machine(url: str) -> None:
    with pytest.raises(SettingsError, match="AZURE_RESOURCE_MANAGER_URL"):
        settings(AZURE_RESOURCE_MANAGER_URL=url)


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("127.0.0.1", True), ("localhost", True), ("::1", True), ("0.0.0.0", False), (None, False), ("", False)],  # noqa: S104 - not bound to
)
def test_only_this_machine_is_loopback(host: str | None, loopback: bool) -> None:
    assert is_loopback(host) is loopback


def test_storage_is_reached_with_an_identity_where_there_is_no_connection_string() -> None:
    urls = {
        f"{STORAGE_CONNECTION}__blobServiceUri": "https://keeper.blob.core.windows.net",
        f"{STORAGE_CONNECTION}__queueServiceUri": "https://keeper.queue.core.windows.net",
        f"{STORAGE_CONNECTION}__tableServiceUri": "https://keeper.table.core.windows.net/",
    }
    found = settings(**{STORAGE_CONNECTION: ""}, **urls).storage
    assert found.connection_string is None
    assert found.blob_url == "https://keeper.blob.core.windows.net"
    assert found.queue_url == "https://keeper.queue.core.windows.net"
    assert found.table_url == "https://keeper.table.core.windows.net"


@pytest.mark.parametrize(
    "text",
    [
        "nonsense",
        "UseDevelopmentStorage=yes",
        "AccountName=keeper",
        "AccountName=keeper;AccountKey=",
        "AccountName=keeper;AccountKey=hunter2",
        "AccountKey=a2V5",
        "AccountName=keeper;AccountKey=a2V5;accountname=other",
        "https://keeper.blob.core.windows.net",
        ";",
    ],
)
def test_what_is_no_connection_string_is_named_and_not_quoted(text: str) -> None:
    with pytest.raises(SettingsError, match=f"^{STORAGE_CONNECTION} is not") as raised:
        settings(**{STORAGE_CONNECTION: text})
    assert text not in str(raised.value)
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize(
    "text",
    [
        "UseDevelopmentStorage=true",
        "DefaultEndpointsProtocol=https;AccountName=keeper;AccountKey=a2V5;EndpointSuffix=core.windows.net",
        "accountname=keeper;accountkey=a2V5;",
    ],
)
async def test_a_connection_string_is_one_that_the_clients_take(text: str) -> None:
    found = settings(**{STORAGE_CONNECTION: text}).storage
    assert found.connection_string == text
    async with Storage(found, NoToken()):
        pass


def _started(environment: Mapping[str, str]) -> str:
    """What the app says when it is imported with these settings and no others."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    done = subprocess.run(
        [sys.executable, "-c", "import function_app; assert function_app.app.get_functions()"],
        cwd=_ROOT,
        env={**kept, **environment},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stderr


def test_the_app_says_when_it_starts_what_is_wrong_with_its_settings() -> None:
    wrong = {STORAGE_CONNECTION: "nonsense", "LIGHTKEEPER_HUB_PARTITIONS": "some"}
    said = _started({**ENVIRONMENT, **wrong})
    assert {name for name in ENVIRONMENT | wrong if name in said} == set(wrong)
    assert _started({**ENVIRONMENT}) == ""


def test_the_sample_holds_the_defaults() -> None:
    least = {name: value for name, value in _sample().items() if name in ENVIRONMENT}
    assert Settings.from_environment(_sample()) == Settings.from_environment(least)


def _number(written: str) -> str:
    """A number as it stands in documentation, in plain digits; any other text as it is."""
    value, _, unit = written.strip("`").replace(",", "").partition(" ")
    return str(int(value) * _UNITS[unit]) if value.isdigit() else value


def test_what_the_correlation_can_be_told_is_documented_with_its_default_and_its_cost() -> None:
    readme = (_ROOT / "README.md").read_text(encoding="utf-8")
    table = readme[readme.index("| setting | default | what it costs |") :].partition("\n\n")[0]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines()[2:]]
    documented = {name.strip("`"): _number(default) for name, default, _ in rows}
    assert documented == {name: _sample()[name] for name in documented}
    assert all(cost for _, _, cost in rows)
    assert documented.keys() >= {
        "LIGHTKEEPER_CORRELATION_WAIT_SECONDS",
        "LIGHTKEEPER_OPERATION_RETENTION_SECONDS",
        "LIGHTKEEPER_DUPLICATES_WINDOW",
        "LIGHTKEEPER_COMPRESSION",
        "LIGHTKEEPER_PART_BYTES",
        "LIGHTKEEPER_RANGE_BYTES",
        "LIGHTKEEPER_BLOCK_BYTES",
    }


def test_the_sample_names_every_variable_and_no_other() -> None:
    environment = _Recorded(_sample())
    Settings.from_environment(environment)
    assert set(_sample()) == environment.asked | set(SCHEDULES) | _HOST_ONLY


def test_every_schedule_of_a_binding_is_a_setting() -> None:
    bindings = "".join(path.read_text() for path in sorted((_ROOT / "functions").glob("*.py")))
    assert set(re.findall(r"%(\w+)%", bindings)) == set(SCHEDULES)


def test_every_variable_is_documented_at_its_field() -> None:
    source = (_ROOT / "shared" / "settings.py").read_text()
    documented = set(re.findall(r'"""`(\w+)`:', source))
    assert set(_sample()) - documented == {STORAGE_CONNECTION, *SCHEDULES, *_HOST_ONLY}
