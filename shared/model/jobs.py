"""Jobs: what goes through the queues."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Self


def cycle_stamp(moment: datetime) -> str:
    """A moment (UTC) as sortable text, for cycles and listings."""
    return moment.strftime("%Y%m%dT%H%M%S.%fZ")


class Step(StrEnum):
    """The steps of the synchronisation; each has a timer and a queue of its own."""

    SUBSCRIPTIONS = "subscriptions"
    SUBSCRIPTION_SETTINGS = "subscription-settings"
    RESOURCES = "resources"
    RESOURCE_SETTINGS = "resource-settings"
    WORKSPACE_EXPORTS = "workspace-exports"
    EVENT_HUBS = "event-hubs"
    ALERT_EXPORTS = "alert-exports"
    OFFBOARDING = "offboarding"

    @property
    def queue(self) -> str:
        """Name of the step's queue."""
        return f"sync-{self.value}"


class Phase(StrEnum):
    """Planning jobs fan out; target jobs handle one object."""

    PLAN = "plan"
    TARGET = "target"


class Cause(StrEnum):
    """Why a job exists."""

    CYCLE = "cycle"
    LOG = "log"
    ONBOARDING = "onboarding"
    OPERATOR = "operator"
    RETRY = "retry"


@dataclass(frozen=True, slots=True)
class Job:
    """One piece of work.

    Attributes:
        step: the step it belongs to.
        phase: planning or target.
        cycle: stamp of the cycle that made it (UTC, sortable text).
        cause: why it exists.
        integration_id: the integration it concerns; empty for planning jobs that span all of them.
        target: the object it concerns (a subscription ID, a region); empty for planning jobs.
        attempt: how often it went back on its queue, from 0.
    """

    step: Step
    phase: Phase
    cycle: str
    cause: Cause
    integration_id: str = ""
    target: str = ""
    attempt: int = 0

    def again(self) -> Self:
        """The same job, tried once more."""
        return replace(self, attempt=self.attempt + 1)
