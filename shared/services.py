"""Everything the triggers call, put together once per process."""

import functools
from collections.abc import Awaitable
from datetime import UTC, datetime, timedelta

from azure.identity.aio import ManagedIdentityCredential

from shared.arm.connection import Arm
from shared.capture.again import Again
from shared.capture.audit import Audit
from shared.capture.flush import Flusher
from shared.capture.handle import CaptureHandler
from shared.capture.handoff import HandOff
from shared.capture.output import Compression
from shared.capture.repair import Ours, Repairs
from shared.capture.sweep import Sweep
from shared.jobs.files import FileQueue
from shared.jobs.guard import OnlyKept
from shared.jobs.poison import Poison
from shared.jobs.queue import JobQueue
from shared.jobs.runner import Handler, JobRunner
from shared.model.answers import Answer
from shared.model.jobs import Step
from shared.onboarding.files import OnboardingFiles
from shared.onboarding.register import Registrar
from shared.portal.api import PortalApi
from shared.portal.busy import answered
from shared.portal.commands import Commands
from shared.portal.health import HealthApi
from shared.portal.mapping import MappingApi
from shared.portal.onboarding import OnboardingApi
from shared.portal.set_aside import SetAsideApi
from shared.settings import TRIED_AGAIN, Settings, current_settings
from shared.store.alert_exports import AlertExportStore
from shared.store.blobs import BlobStore
from shared.store.capture_blobs import CaptureBlobs
from shared.store.captures import CaptureStore
from shared.store.claims import ClaimStore
from shared.store.hubs import HubStore
from shared.store.integrations import IntegrationStore
from shared.store.ledger_age import LedgerAge
from shared.store.leftovers import Leftovers
from shared.store.links import LinkStore
from shared.store.listings import ListingStore
from shared.store.mappings import MappingStore
from shared.store.operations import OperationStore
from shared.store.problems import ProblemStore
from shared.store.removals import RemovalStore
from shared.store.replays import Replays
from shared.store.resources import ResourceStore
from shared.store.set_aside import SetAsideStore
from shared.store.storage import Storage
from shared.store.subscriptions import SubscriptionStore
from shared.store.workspaces import WorkspaceStore
from shared.sync.alert_exports import AlertExportsStep
from shared.sync.context import Context
from shared.sync.event_hubs import EventHubsStep
from shared.sync.offboarding import OffboardingStep
from shared.sync.resource_settings import ResourceSettingsStep
from shared.sync.resources import ResourcesStep
from shared.sync.subscription_settings import SubscriptionSettingsStep
from shared.sync.subscriptions import SubscriptionsStep
from shared.sync.workspace_exports import WorkspaceExportsStep


def utc_now() -> datetime:
    """The present in UTC."""
    return datetime.now(UTC)


class Services:
    """The app's parts, sharing one credential and one set of connections.

    Args:
        settings: of this deployment.
    """

    def __init__(self, settings: Settings) -> None:
        credential = ManagedIdentityCredential(client_id=settings.client_id)
        storage = Storage(settings.storage, credential)
        self.sync = Context(
            arm=Arm(settings.arm_url, credential, settings.provider_subscription_id),
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
            queue=JobQueue(storage),
            settings=settings,
            clock=utc_now,
        )
        self.jobs = self._runner(self.sync)
        ledger = CaptureStore(storage)
        blobs = BlobStore(storage, settings.range_bytes, settings.block_bytes)
        wait = timedelta(seconds=settings.correlation_wait_seconds)
        retention = timedelta(seconds=settings.operation_retention_seconds)
        operations = OperationStore(storage, blobs, wait, retention)
        handoff = HandOff(storage, blobs, Compression(settings.compression))
        self.flusher = Flusher(
            captures=ledger,
            operations=operations,
            handoff=handoff,
            integrations=self.sync.integrations,
            wait=wait,
            clock=utc_now,
        )
        self.captures = CaptureHandler(
            blobs=blobs,
            captures=ledger,
            operations=operations,
            handoff=handoff,
            repairs=Repairs(
                sink=self.sync,
                subscriptions=self.sync.subscriptions,
                ours=Ours.named_by(settings),
                clock=utc_now,
            ),
            hubs=self.sync.hubs,
            problems=self.sync.problems,
            wait=wait,
            clock=utc_now,
            part_bytes=settings.part_bytes,
            duplicates_window=settings.duplicates_window,
        )
        self.onboarding = OnboardingApi(
            OnboardingFiles(self.sync.arm, LinkStore(storage), settings, utc_now), self.sync.integrations
        )
        self.api = PortalApi(
            registrar=Registrar(self.sync.integrations, self.sync.queue, settings, utc_now),
            onboarding=self.onboarding,
            integrations=self.sync.integrations,
            subscriptions=self.sync.subscriptions,
            resources=self.sync.resources,
            workspaces=self.sync.workspaces,
            alert_exports=self.sync.alert_exports,
            removals=self.sync.removals,
            hubs=self.sync.hubs,
            captures=ledger,
            problems=self.sync.problems,
        )
        self.commands = Commands(
            integrations=self.sync.integrations,
            claims=self.sync.claims,
            problems=self.sync.problems,
            jobs=self.sync,
            clock=utc_now,
        )
        aside = SetAsideStore(storage, self.sync.problems, utc_now)
        files = FileQueue(storage)
        self.again = Again(self.captures, aside, files)
        self.set_aside = SetAsideApi(
            aside,
            Replays(
                blobs=blobs,
                captures=ledger,
                hubs=self.sync.hubs,
                # Not what is set now: what left before that was set may have been forgotten earlier.
                kept=timedelta(seconds=TRIED_AGAIN),
                clock=utc_now,
            ),
            files,
        )
        self.sweep = Sweep(
            blobs=CaptureBlobs(storage),
            captures=ledger,
            hubs=self.sync.hubs,
            files=files,
            reach=timedelta(seconds=settings.capture_sweep_reach_seconds),
            clock=utc_now,
        )
        self.audit = Audit(
            captures=ledger,
            operations=operations,
            leftovers=Leftovers(storage, blobs),
            age=self.sync.ledger,
            keep=timedelta(days=settings.ledger_days),
            sweep=self.sweep,
            integrations=self.sync.integrations,
            problems=self.sync.problems,
            clock=utc_now,
        )
        self.mapping = MappingApi(self.sync.mappings)
        self.poison = Poison(storage, self.sync.problems, utc_now)
        self.health = HealthApi(self.poison, self.sync.problems, self.sync.integrations)

    @staticmethod
    async def answered(coming: Awaitable[Answer]) -> Answer:
        """The answer that is coming; if the storage account has no time, one that says so."""
        return await answered(coming)

    @staticmethod
    def _runner(context: Context) -> JobRunner:
        steps: dict[Step, Handler] = {
            Step.SUBSCRIPTIONS: SubscriptionsStep(context),
            Step.SUBSCRIPTION_SETTINGS: SubscriptionSettingsStep(context),
            Step.RESOURCES: ResourcesStep(context),
            Step.RESOURCE_SETTINGS: ResourceSettingsStep(context),
            Step.WORKSPACE_EXPORTS: WorkspaceExportsStep(context),
            Step.EVENT_HUBS: EventHubsStep(context),
            Step.ALERT_EXPORTS: AlertExportsStep(context),
        }
        handlers: dict[Step, Handler] = {
            **{step: OnlyKept(handler, context.integrations) for step, handler in steps.items()},
            Step.OFFBOARDING: OffboardingStep(context),
        }
        return JobRunner(
            handlers,
            queue=context.queue,
            problems=context.problems,
            claims=context.claims,
            max_attempts=context.settings.max_attempts,
            clock=context.clock,
        )


@functools.cache
def services() -> Services:
    """The services of this process.

    Raises:
        SettingsError: names every setting that is missing or wrong.
    """
    return Services(current_settings())
