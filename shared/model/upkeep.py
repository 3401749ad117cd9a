"""Upkeep: how far one object that we keep in Azure has come, whatever kind of object it is."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.model.reasons import Reason


class Coverage(StrEnum):
    """How far an object has come.

    `WRITTEN` was not read back yet; `CONFIGURED` was. `EXCLUDED` and `GONE` are not to be kept.
    """

    PENDING = "pending"
    WRITTEN = "written"
    CONFIGURED = "configured"
    BLOCKED = "blocked"
    EXCLUDED = "excluded"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Upkeep:
    """How far one object has come.

    Attributes:
        coverage: how far.
        reason: the one reason why it is not covered; None while pending, written or configured.
        detail: what Azure said with that reason.
        written_at: when we last wrote it.
        verified_at: when we last read it back as wanted.
        writes: writes in a row that no read-back has confirmed.
        handled: stamp of the newest cycle in which it was looked after.
        noted: whether a problem was taken down that is to be resolved once it is configured.
    """

    coverage: Coverage = Coverage.PENDING
    reason: Reason | None = None
    detail: str = ""
    written_at: datetime | None = None
    verified_at: datetime | None = None
    writes: int = 0
    handled: str = ""
    noted: bool = False

    @property
    def kept(self) -> bool:
        """Whether the object is to be as wanted in Azure."""
        return self.coverage not in (Coverage.EXCLUDED, Coverage.GONE)
