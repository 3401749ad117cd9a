"""What the capture step needs from the rest of the app."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from shared.model.hubs import HubAssignment
from shared.model.integration import Integration
from shared.model.jobs import Job
from shared.model.problem import Problem
from shared.model.reasons import Reason
from shared.store.tables import Stored


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose entries they are.

    Attributes:
        integration_id: the integration.
        customer: its slug, the folder of its files.
    """

    integration_id: str
    customer: str


class HubList(Protocol):
    """Knows all event hubs."""

    async def list(self) -> Sequence[Stored[HubAssignment]]:
        """All assignments."""


class FileSink(Protocol):
    """Takes capture files that are to be handled."""

    async def send(self, path: str) -> None:
        """Have the capture file of that blob name handled."""


class IntegrationDirectory(Protocol):
    """Knows all integrations."""

    async def list_all(self) -> Sequence[Integration]:
        """All of them, those that were offboarded included: what came in before still has to leave."""


class ProblemSink(Protocol):
    """Takes down what is broken."""

    async def report(self, problem: Problem) -> None:
        """Take a problem down."""

    async def settle(self, integration_id: str, where: str, now: datetime, lasting: Reason | None) -> None:
        """Mark everything but `lasting` at a place as resolved."""


class SubscriptionDirectory(Protocol):
    """Knows whose subscriptions are."""

    async def read(self, integration_id: str, subscription_id: str) -> object | None:
        """The subscription if it is the integration's, else None."""


class RepairSink(Protocol):
    """Takes jobs for what somebody changed in Azure."""

    async def send_once(self, job: Job) -> None:
        """Send a job, unless one for the same target waits already."""
