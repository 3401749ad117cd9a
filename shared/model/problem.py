"""Problems: what is broken, since when, and how to mend it."""

from dataclasses import dataclass
from datetime import datetime

from shared.model.ids import stable_hash
from shared.model.reasons import EXPLANATIONS, Reason

PROVIDER = "provider"
"""Stands for the integration where a problem concerns no single customer."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is broken.

    Attributes:
        integration_id: whose it is, or `PROVIDER`.
        reason: what is wrong.
        where: the object concerned: a subscription ID, a hub, a queue, a blob.
        detail: what was seen, without payloads.
        since: when it was first seen (UTC).
        resolved_at: when it was first seen to be gone; None while it lasts.
    """

    integration_id: str
    reason: Reason
    where: str
    detail: str
    since: datetime
    resolved_at: datetime | None = None

    @property
    def id(self) -> str:
        """The same for the same reason at the same place."""
        return stable_hash(self.integration_id, self.reason, self.where.lower())

    @property
    def remedy(self) -> str:
        """How to mend it."""
        return EXPLANATIONS[self.reason].remedy
