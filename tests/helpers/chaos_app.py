"""The app's own parts, as a history drives them: on tables in memory, and on a simulated Azure in process."""

from local.azure.app import SimulatedAzure
from local.azure.credential import AppCredential
from shared.arm.connection import Arm
from shared.jobs.queue import JobQueue
from shared.settings import Settings
from shared.store.alert_exports import AlertExportStore
from shared.store.claims import ClaimStore
from shared.store.hubs import HubStore
from shared.store.integrations import IntegrationStore
from shared.store.ledger_age import LedgerAge
from shared.store.listings import ListingStore
from shared.store.mappings import MappingStore
from shared.store.problems import ProblemStore
from shared.store.removals import RemovalStore
from shared.store.resources import ResourceStore
from shared.store.storage import Storage
from shared.store.subscriptions import SubscriptionStore
from shared.store.workspaces import WorkspaceStore
from shared.sync.context import Context
from tests.helpers.chaos_estate import MONITORED, OLDER_RULE, PROVIDER
from tests.helpers.chaos_worker import TakingTurns

SWEEP = 3600
"""Seconds after which everything is looked at again."""

_ARM = "https://management.azure.com"
_CYCLE, _READ_BACK, _DRAIN = 60, 30, 5000
_SETTINGS = {
    "LightkeeperStorage": "AccountName=unused;AccountKey=bm9uZQ==",
    "AZURE_RESOURCE_MANAGER_URL": _ARM,
    "LIGHTKEEPER_PROVIDER_TENANT_ID": PROVIDER.tenant_id,
    "LIGHTKEEPER_PROVIDER_SUBSCRIPTION_ID": PROVIDER.subscription_id,
    "LIGHTKEEPER_HUB_RESOURCE_GROUP": PROVIDER.group,
    "LIGHTKEEPER_CAPTURE_STORAGE_ID": PROVIDER.storage_id,
    "LIGHTKEEPER_CAPTURE_IDENTITY_ID": PROVIDER.identity_id,
    "LIGHTKEEPER_MONITORED_TYPES": ",".join(MONITORED),
    "LIGHTKEEPER_CYCLE_SECONDS": str(_CYCLE),
    "LIGHTKEEPER_READ_BACK_SECONDS": str(_READ_BACK),
    "LIGHTKEEPER_SWEEP_SECONDS": str(SWEEP),
    "LIGHTKEEPER_DRAIN_SECONDS": str(_DRAIN),
    "LIGHTKEEPER_OLDER_EXPORT_RULE": OLDER_RULE,
}


def context_of(azure: SimulatedAzure, storage: Storage, queue: JobQueue, transport: TakingTurns) -> Context:
    """The parts on these tables and this queue, with Azure at the other end of the transport."""
    clock = azure.world.clock
    arm = Arm(
        _ARM,
        AppCredential(azure),
        PROVIDER.subscription_id,
        transport=transport,
        clock=clock.seconds,
    )
    return Context(
        arm=arm,
        integrations=IntegrationStore(storage),
        subscriptions=SubscriptionStore(storage),
        hubs=HubStore(storage),
        listings=ListingStore(storage),
        problems=ProblemStore(storage),
        claims=ClaimStore(storage),
        resources=ResourceStore(storage),
        workspaces=WorkspaceStore(storage),
        alert_exports=AlertExportStore(storage),
        removals=RemovalStore(storage),
        mappings=MappingStore(storage),
        ledger=LedgerAge(storage),
        queue=queue,
        settings=Settings.from_environment(_SETTINGS),
        clock=clock.now,
    )
