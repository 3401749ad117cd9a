"""Sweep and audit over what the capture step of a test did."""

from datetime import timedelta

from shared.capture.audit import Audit
from shared.capture.ports import FileSink
from shared.capture.sweep import Sweep
from shared.model.problem import Problem
from shared.settings import LEAST_LEDGER_DAYS
from shared.store.capture_blobs import CaptureBlobs
from shared.store.ledger_age import LedgerAge
from shared.store.leftovers import Leftovers
from shared.store.problems import ProblemStore
from tests.capture.app import App, HubListing


def new_sweep(app: App, files: FileSink) -> Sweep:
    return Sweep(
        blobs=CaptureBlobs(app.storage),
        captures=app.captures,
        hubs=HubListing(app.assignment),
        files=files,
        reach=timedelta(hours=2),
        clock=lambda: app.now,
    )


def new_audit(app: App, files: FileSink) -> Audit:
    return Audit(
        captures=app.captures,
        operations=app.operations,
        leftovers=Leftovers(app.storage, app.blobs),
        age=LedgerAge(app.storage),
        keep=timedelta(days=LEAST_LEDGER_DAYS),
        sweep=new_sweep(app, files),
        integrations=app.integrations,
        problems=ProblemStore(app.storage),
        clock=lambda: app.now,
    )


async def open_problems(app: App) -> list[Problem]:
    """What the audits found wrong and not yet mended."""
    return await ProblemStore(app.storage).list(app.integration)
