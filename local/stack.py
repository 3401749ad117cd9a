"""The whole system on this machine: Azurite, the simulated Azure, and the Functions host with the app."""

import json
import os
import secrets
import sys
import uuid
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from local.azure.estate import Provider
from local.azurite import ROOT, Azurite
from local.process import Child

_START_SECONDS = 60.0

# Laptop seconds for cloud minutes; no code path differs.
_PACE = {
    "LIGHTKEEPER_CYCLE_SECONDS": "2",
    "LIGHTKEEPER_READ_BACK_SECONDS": "1",
    "LIGHTKEEPER_POLL_SECONDS": "1",
    "LIGHTKEEPER_CORRELATION_WAIT_SECONDS": "10",
    "LIGHTKEEPER_SUBSCRIPTIONS_SCHEDULE": "*/5 * * * * *",
    "LIGHTKEEPER_SUBSCRIPTION_SETTINGS_SCHEDULE": "*/5 * * * * *",
    "LIGHTKEEPER_RESOURCES_SCHEDULE": "*/5 * * * * *",
    "LIGHTKEEPER_RESOURCE_SETTINGS_SCHEDULE": "*/5 * * * * *",
    "LIGHTKEEPER_WORKSPACE_EXPORTS_SCHEDULE": "*/5 * * * * *",
    "LIGHTKEEPER_ALERT_EXPORTS_SCHEDULE": "*/5 * * * * *",
    "LIGHTKEEPER_EVENT_HUBS_SCHEDULE": "*/5 * * * * *",
    "LIGHTKEEPER_OFFBOARDING_SCHEDULE": "*/5 * * * * *",
    "LIGHTKEEPER_POISON_SCHEDULE": "*/5 * * * * *",
    "LIGHTKEEPER_DRAIN_SECONDS": "10",
    "LIGHTKEEPER_FLUSH_SCHEDULE": "*/2 * * * * *",
    "LIGHTKEEPER_CAPTURE_SWEEP_SCHEDULE": "*/30 * * * * *",
    "LIGHTKEEPER_AUDIT_SCHEDULE": "0 */10 * * * *",
    "LOCAL_HOST_MAX_POLL_MS": "250",
}


class Stack:
    """All parts, started in order and ended together.

    Args:
        logs: folder for what the parts log.
        seed: what the simulated Azure draws from.
        settings: app settings that differ from the laptop's.
        azure_flags: further flags of the simulated Azure.
    """

    def __init__(
        self,
        logs: Path,
        *,
        seed: int = 1,
        settings: Mapping[str, str] | None = None,
        azure_flags: Sequence[str] = (),
    ) -> None:
        self._logs = logs
        self._seed = seed
        self._settings = dict(settings or {})
        self._azure_flags = list(azure_flags)
        self._ending = ExitStack()
        self.provider = Provider(str(uuid.UUID(int=seed)), str(uuid.UUID(int=seed + 1)))
        self.function_key = secrets.token_urlsafe(24)
        self._event_grid_key = secrets.token_urlsafe(24)
        self._identity_header = secrets.token_urlsafe(24)
        self.children: list[Child] = []
        self._identity: dict[str, str] = {}
        self.azure_url = ""
        self.host_url = ""

    def start_azurite(self) -> None:
        """Start the storage emulator."""
        self.azurite = self._ending.enter_context(Azurite(self._logs))

    def start_azure(self) -> None:
        """Start the simulated Azure."""
        environment = {
            **os.environ,
            "LOCAL_AZURE_STORAGE": self.azurite.connection_string,
            "LOCAL_AZURE_IDENTITY_HEADER": self._identity_header,
        }
        flags = ["--provider-tenant", self.provider.tenant_id]
        flags += ["--provider-subscription", self.provider.subscription_id]
        flags += ["--resource-group", self.provider.group, "--seed", str(self._seed)]
        flags += ["--capture-seconds", "1", "--namespace-seconds", "2", "--time-scale", "0.05"]
        flags += self._azure_flags
        azure = self._start("azure", flags, environment)
        self.azure_url = azure["url"]
        self._identity = {
            "AZURE_CLIENT_ID": azure["clientId"],
            "LIGHTKEEPER_PRINCIPAL_ID": azure["objectId"],
        }

    def start_host(self) -> None:
        """Start the Functions host with the app."""
        environment = {**os.environ, **self.app_environment(), **self._settings}
        self.host_url = self._start("host", ["--app", str(ROOT)], environment)["url"]

    def app_environment(self) -> dict[str, str]:
        """The app's settings, and the host's keys."""
        return {
            "AzureWebJobsStorage": self.azurite.connection_string,
            "LightkeeperStorage": self.azurite.connection_string,
            "AZURE_RESOURCE_MANAGER_URL": self.azure_url,
            "IDENTITY_ENDPOINT": f"{self.azure_url}/msi/token",
            "IDENTITY_HEADER": self._identity_header,
            **self._identity,
            "LIGHTKEEPER_PROVIDER_TENANT_ID": self.provider.tenant_id,
            "LIGHTKEEPER_PROVIDER_SUBSCRIPTION_ID": self.provider.subscription_id,
            "LIGHTKEEPER_HUB_RESOURCE_GROUP": self.provider.group,
            "LIGHTKEEPER_CAPTURE_STORAGE_ID": self.provider.storage_id,
            "LIGHTKEEPER_CAPTURE_IDENTITY_ID": self.provider.identity_id,
            "LOCAL_HOST_FUNCTION_KEY": self.function_key,
            "LOCAL_HOST_EVENTGRID_KEY": self._event_grid_key,
            "LOCAL_HOST_MASTER_KEY": secrets.token_urlsafe(24),
            **_PACE,
        }

    @property
    def event_grid_url(self) -> str:
        """Where Event Grid delivers; holds the host's system key."""
        path = "runtime/webhooks/EventGrid?functionName=capture_created"
        return f"{self.host_url}/{path}&code={self._event_grid_key}"

    def stop(self) -> None:
        """End all parts, the last one first."""
        self._ending.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _start(self, name: str, flags: list[str], environment: Mapping[str, str]) -> dict[str, str]:
        command = [sys.executable, "-m", "local", name, "--until-stdin-closes", *flags]
        child = self._ending.enter_context(Child(name, command, environment, self._logs, ROOT))
        self.children.append(child)
        return child.wait_until(_ready, _START_SECONDS)


def _ready(line: str) -> dict[str, str] | None:
    """What a part announces once it is ready."""
    try:
        message = json.loads(line)
    except ValueError:
        return None
    if isinstance(message, dict) and message.get("ready"):
        return {name: str(value) for name, value in message.items()}
    return None
