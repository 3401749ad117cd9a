"""The app's settings, read once from the environment.

Every variable is documented at its field. Schedules are read by the Functions host itself through
`%NAME%` binding expressions and listed in `SCHEDULES`.
"""

import functools
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from shared.environment import Reader, SettingsError

SCHEDULES = (
    "LIGHTKEEPER_SUBSCRIPTIONS_SCHEDULE",
    "LIGHTKEEPER_SUBSCRIPTION_SETTINGS_SCHEDULE",
    "LIGHTKEEPER_RESOURCES_SCHEDULE",
    "LIGHTKEEPER_RESOURCE_SETTINGS_SCHEDULE",
    "LIGHTKEEPER_WORKSPACE_EXPORTS_SCHEDULE",
    "LIGHTKEEPER_EVENT_HUBS_SCHEDULE",
    "LIGHTKEEPER_ALERT_EXPORTS_SCHEDULE",
    "LIGHTKEEPER_OFFBOARDING_SCHEDULE",
    "LIGHTKEEPER_POISON_SCHEDULE",
    "LIGHTKEEPER_FLUSH_SCHEDULE",
    "LIGHTKEEPER_CAPTURE_SWEEP_SCHEDULE",
    "LIGHTKEEPER_AUDIT_SCHEDULE",
)
"""Timer schedules (six-field NCRONTAB, UTC) that the bindings in `functions/` refer to."""

STORAGE_CONNECTION = "LightkeeperStorage"
"""Name of the Functions connection to the storage account for queues, tables and blobs.

Locally one connection string under this name; in the cloud `LightkeeperStorage__blobServiceUri`,
`__queueServiceUri`, `__tableServiceUri`, `__credential` and `__clientId`.
"""

_OFFER_ROLES = (
    "acdd72a7-3385-48ef-bd42-f606fba81ae7",  # Reader
    "92aaf0da-9dab-42b6-94a3-d43ce8d16293",  # Log Analytics Contributor
    "fb1c8493-542b-48eb-b624-b4c8fea62acd",  # Security Admin
)

TRIED_AGAIN = 172_800
"""Seconds for which a capture file is handled again if it was cut off; whoever comes later sets it aside.
Event Grid tries for 86,400 (`infra/app/event-subscription.bicep`), and the sweep reaches as far back at most.
What left is kept for as long at least, whatever the settings are or were."""

LEAST_LEDGER_DAYS = 32
"""Capture files lie in their container for 30 days (`captureRetentionDays` in `infra/main.bicep`). One that
was never handled is found for as long as the files of its day have rows of their own, less two days."""


@dataclass(frozen=True, slots=True)
class StorageSettings:
    """How to reach the storage account: a connection string, or three endpoints and an identity."""

    connection_string: str | None
    blob_url: str
    queue_url: str
    table_url: str


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that one deployment decides."""

    storage: StorageSettings
    arm_url: str
    """`AZURE_RESOURCE_MANAGER_URL`: endpoint of Azure Resource Manager; another one in sovereign clouds."""
    client_id: str | None
    """`AZURE_CLIENT_ID`: client ID of the app's user-assigned identity; none means system-assigned."""
    principal_id: str
    """`LIGHTKEEPER_PRINCIPAL_ID`: object ID of the app's identity. With it, or with `AZURE_CLIENT_ID`, what
    the app itself did is known again in the activity log. Without either each write of ours is looked at
    once more when its log entry arrives, which costs one read."""
    provider_tenant_id: str
    """`LIGHTKEEPER_PROVIDER_TENANT_ID`: the tenant that subscriptions are delegated to."""
    provider_subscription_id: str
    """`LIGHTKEEPER_PROVIDER_SUBSCRIPTION_ID`: where Event Hubs namespaces are made."""
    hub_resource_group: str
    """`LIGHTKEEPER_HUB_RESOURCE_GROUP`: resource group for the namespaces."""
    capture_storage_id: str
    """`LIGHTKEEPER_CAPTURE_STORAGE_ID`: ID of the storage account that takes capture files."""
    capture_identity_id: str
    """`LIGHTKEEPER_CAPTURE_IDENTITY_ID`: ID of the user-assigned identity with which Capture writes."""
    brand: str
    """`LIGHTKEEPER_BRAND`: start of the names of what we make in customers' subscriptions."""
    older_export_rule: str
    """`LIGHTKEEPER_OLDER_EXPORT_RULE`: name of an earlier export rule of ours, which the new one
    replaces; empty if there was none."""
    namespace_prefix: str
    """`LIGHTKEEPER_NAMESPACE_PREFIX`: start of namespace names, which are unique in all of Azure."""
    offer_roles: tuple[str, ...]
    """`LIGHTKEEPER_OFFER_ROLES`: IDs of the built-in roles that customers are asked to delegate, separated
    by commas; Reader, Log Analytics Contributor and Security Admin unless others are named. Azure changes
    its roles, so each is looked at before it is offered."""
    home_region: str
    """`LIGHTKEEPER_HOME_REGION`: region of the hub for activity logs, unless an integration names another."""
    subscription_cap: int
    """`LIGHTKEEPER_SUBSCRIPTION_CAP`: subscriptions covered per integration, unless it names another."""
    hubs_per_namespace: int
    """`LIGHTKEEPER_HUBS_PER_NAMESPACE`: a Standard namespace holds ten event hubs."""
    hub_partitions: int
    """`LIGHTKEEPER_HUB_PARTITIONS`: partitions of each event hub (1 to 32 in Standard, never changed)."""
    hub_retention_hours: int
    """`LIGHTKEEPER_HUB_RETENTION_HOURS`: how long a hub keeps events (1 to 168 in Standard)."""
    drain_seconds: int
    """`LIGHTKEEPER_DRAIN_SECONDS`: how long a hub that is no longer wanted still captures before it is
    deleted; unless set, its retention time and a capture interval."""
    capture_interval_seconds: int
    """`LIGHTKEEPER_CAPTURE_INTERVAL_SECONDS`: a capture file at least this often (60 to 900)."""
    capture_size_bytes: int
    """`LIGHTKEEPER_CAPTURE_SIZE_BYTES`: or at this size (10,485,760 to 524,288,000)."""
    monitored_types: frozenset[str]
    """`LIGHTKEEPER_MONITORED_TYPES`: resource types to be monitored, separated by commas, out of
    `shared/model/monitored.py`; key vaults unless others are named."""
    cycle_seconds: int
    """`LIGHTKEEPER_CYCLE_SECONDS`: the time over which a cycle's jobs are spread."""
    read_back_seconds: int
    """`LIGHTKEEPER_READ_BACK_SECONDS`: how long after a write it is read back."""
    sweep_seconds: int
    """`LIGHTKEEPER_SWEEP_SECONDS`: every object is verified at least this often."""
    poll_seconds: int
    """`LIGHTKEEPER_POLL_SECONDS`: how long a job waits before it looks at a long operation again."""
    max_attempts: int
    """`LIGHTKEEPER_MAX_ATTEMPTS`: how often a job goes back on its queue before it is blocked."""
    correlation_wait_seconds: int
    """`LIGHTKEEPER_CORRELATION_WAIT_SECONDS`: how long an unfinished operation waits for its rest."""
    operation_retention_seconds: int
    """`LIGHTKEEPER_OPERATION_RETENTION_SECONDS`: how long a late entry can still revise a record, and how
    long a file that was cut off finds what had waited and left in it. So it is not less than the two days in
    which files are tried again."""
    compression: str
    """`LIGHTKEEPER_COMPRESSION`: of condensed files, `gzip` or `zstd`. Files of zstd are about half as large;
    compressing takes twice as long, a tenth of a second for a capture file of 100 MB."""
    part_bytes: int
    """`LIGHTKEEPER_PART_BYTES`: how much of a capture file is held in memory at a time. It takes three
    to four times as much memory; twice as much saves half of the storage requests for operations of large
    files. Of more than 64 MiB the sandbox in which a file is read could not hold all that comes of it."""
    range_bytes: int
    """`LIGHTKEEPER_RANGE_BYTES`: how much of a blob is read at once; one request each, two in memory."""
    block_bytes: int
    """`LIGHTKEEPER_BLOCK_BYTES`: how much of a blob is written at once; one request each."""
    duplicates_window: int
    """`LIGHTKEEPER_DUPLICATES_WINDOW`: among how many entries of one capture file that pass through repeated
    ones are found; 1,000 cost 200 kB of memory. Repeated administrative entries are always found."""
    ledger_days: int
    """`LIGHTKEEPER_LEDGER_DAYS`: how long every capture file has a ledger row of its own; then there is one
    for each day. A file that is delivered after that would be handled anew, and one that was never handled is
    not found any more; so it is not less than 32, two days more than capture files lie in their container."""
    capture_sweep_reach_seconds: int
    """`LIGHTKEEPER_CAPTURE_SWEEP_REACH_SECONDS`: how far back capture files are looked for that no event
    announced; each hour costs one request per partition of every hub and sweep."""

    @property
    def setting_name(self) -> str:
        """Name of our diagnostic settings."""
        return f"{self.brand}-Logs"

    @property
    def export_rule_name(self) -> str:
        """Name of our data export rules."""
        return f"{self.brand}-Entra-Data-Export"

    @property
    def alert_export_name(self) -> str:
        """Name of our Defender for Cloud automations."""
        return f"{self.brand}DefenderForCloudExport"

    @property
    def alert_export_group(self) -> str:
        """Name of the resource group that holds them."""
        return f"{self.brand}Automation"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Read and validate all settings.

        Raises:
            SettingsError: names every variable that is missing or wrong.
        """
        read = Reader(environment)
        retention_hours = read.number("LIGHTKEEPER_HUB_RETENTION_HOURS", 168, 1, 2160)
        capture_seconds = read.number("LIGHTKEEPER_CAPTURE_INTERVAL_SECONDS", 60, 60, 900)
        settings = cls(
            storage=_storage(read),
            arm_url=read.url("AZURE_RESOURCE_MANAGER_URL", "https://management.azure.com"),
            client_id=environment.get("AZURE_CLIENT_ID") or None,
            principal_id=read.guid_if_set("LIGHTKEEPER_PRINCIPAL_ID"),
            provider_tenant_id=read.guid("LIGHTKEEPER_PROVIDER_TENANT_ID"),
            provider_subscription_id=read.guid("LIGHTKEEPER_PROVIDER_SUBSCRIPTION_ID"),
            hub_resource_group=read.text("LIGHTKEEPER_HUB_RESOURCE_GROUP", r"[\w.()-]{1,90}"),
            capture_storage_id=read.resource_id("LIGHTKEEPER_CAPTURE_STORAGE_ID"),
            capture_identity_id=read.resource_id("LIGHTKEEPER_CAPTURE_IDENTITY_ID"),
            brand=read.text("LIGHTKEEPER_BRAND", r"[A-Za-z][A-Za-z0-9]{1,30}", "Lightkeeper"),
            older_export_rule=read.text("LIGHTKEEPER_OLDER_EXPORT_RULE", r"[A-Za-z][A-Za-z0-9-]{0,62}|", ""),
            namespace_prefix=read.text(
                "LIGHTKEEPER_NAMESPACE_PREFIX", r"[a-z][a-z0-9-]{1,18}[a-z0-9]", "lightkeeper"
            ),
            offer_roles=read.guids("LIGHTKEEPER_OFFER_ROLES", _OFFER_ROLES),
            home_region=read.region("LIGHTKEEPER_HOME_REGION", "eastus"),
            subscription_cap=read.number("LIGHTKEEPER_SUBSCRIPTION_CAP", 2000, 1, 100_000),
            hubs_per_namespace=read.number("LIGHTKEEPER_HUBS_PER_NAMESPACE", 10, 1, 1000),
            hub_partitions=read.number("LIGHTKEEPER_HUB_PARTITIONS", 4, 1, 1024),
            hub_retention_hours=retention_hours,
            drain_seconds=read.number(
                "LIGHTKEEPER_DRAIN_SECONDS", retention_hours * 3600 + capture_seconds, 0, 31_536_000
            ),
            capture_interval_seconds=capture_seconds,
            capture_size_bytes=read.number(
                "LIGHTKEEPER_CAPTURE_SIZE_BYTES", 104_857_600, 10_485_760, 524_288_000
            ),
            monitored_types=read.monitored_types("LIGHTKEEPER_MONITORED_TYPES"),
            cycle_seconds=read.number("LIGHTKEEPER_CYCLE_SECONDS", 300, 0, 86_400),
            read_back_seconds=read.number("LIGHTKEEPER_READ_BACK_SECONDS", 10, 0, 86_400),
            sweep_seconds=read.number("LIGHTKEEPER_SWEEP_SECONDS", 86_400, 1, 604_800),
            poll_seconds=read.number("LIGHTKEEPER_POLL_SECONDS", 30, 0, 3_600),
            max_attempts=read.number("LIGHTKEEPER_MAX_ATTEMPTS", 20, 1, 1000),
            correlation_wait_seconds=read.number("LIGHTKEEPER_CORRELATION_WAIT_SECONDS", 900, 0, 86_400),
            operation_retention_seconds=read.number(
                "LIGHTKEEPER_OPERATION_RETENTION_SECONDS", TRIED_AGAIN, TRIED_AGAIN, 604_800
            ),
            compression=read.text("LIGHTKEEPER_COMPRESSION", "gzip|zstd", "gzip"),
            part_bytes=read.number("LIGHTKEEPER_PART_BYTES", 8_388_608, 65_536, 67_108_864),
            range_bytes=read.number("LIGHTKEEPER_RANGE_BYTES", 1_572_864, 65_536, 33_554_432),
            block_bytes=read.number("LIGHTKEEPER_BLOCK_BYTES", 1_048_576, 65_536, 33_554_432),
            duplicates_window=read.number("LIGHTKEEPER_DUPLICATES_WINDOW", 32_768, 1, 10_000_000),
            ledger_days=read.number("LIGHTKEEPER_LEDGER_DAYS", LEAST_LEDGER_DAYS, LEAST_LEDGER_DAYS, 3_650),
            capture_sweep_reach_seconds=read.number(
                "LIGHTKEEPER_CAPTURE_SWEEP_REACH_SECONDS", 7_200, 600, 86_400
            ),
        )
        read.finish()
        return settings


@functools.cache
def current_settings() -> Settings:
    """The settings of this process.

    Raises:
        SettingsError: names every variable that is missing or wrong.
    """
    return Settings.from_environment(os.environ)


def wrong_settings() -> str:
    """What is missing or wrong among the settings of this process, in one line; empty if nothing is."""
    try:
        current_settings()
    except SettingsError as error:
        return str(error)
    return ""


def _storage(read: Reader) -> StorageSettings:
    connection_string = read.connection_string(STORAGE_CONNECTION)
    if connection_string:
        return StorageSettings(connection_string, "", "", "")
    return StorageSettings(
        None,
        read.url(f"{STORAGE_CONNECTION}__blobServiceUri"),
        read.url(f"{STORAGE_CONNECTION}__queueServiceUri"),
        read.url(f"{STORAGE_CONNECTION}__tableServiceUri"),
    )
