"""The columns of a row that say how far an object has come."""

from shared.model.reasons import Reason
from shared.model.upkeep import Coverage, Upkeep
from shared.store.tables import Row, moment_of, text_of


def columns_of(upkeep: Upkeep) -> Row:
    """The columns of an upkeep."""
    return {
        "coverage": upkeep.coverage.value,
        "reason": upkeep.reason.value if upkeep.reason is not None else "",
        "detail": upkeep.detail,
        "written_at": text_of(upkeep.written_at),
        "verified_at": text_of(upkeep.verified_at),
        "writes": upkeep.writes,
        "handled": upkeep.handled,
        "noted": upkeep.noted,
    }


def upkeep_of(row: Row) -> Upkeep:
    """The upkeep in a row."""
    return Upkeep(
        coverage=Coverage(row["coverage"]),
        reason=Reason(row["reason"]) if row["reason"] else None,
        detail=row["detail"],
        written_at=moment_of(row["written_at"]),
        verified_at=moment_of(row["verified_at"]),
        writes=row["writes"],
        handled=row["handled"],
        noted=row["noted"],
    )
