"""Table `problems`: partition the integration's id (or `provider`), row the problem's stable id."""

import logging
from dataclasses import replace as changed
from datetime import datetime

from shared.model.problem import Problem
from shared.model.reasons import Reason
from shared.store.storage import Storage
from shared.store.tables import Row, TableName, commit, find, moment_of, overwrite, query, text_of

_log = logging.getLogger(__name__)


class ProblemStore:
    """What is broken, and what was."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def report(self, problem: Problem) -> None:
        """Take a problem down; one that lasts keeps the moment it was first seen."""
        table = await self._storage.table(TableName.PROBLEMS)
        row = await find(table, problem.integration_id, problem.id)
        known = _from_row(row) if row is not None else None
        if known is not None and known.resolved_at is None:
            if known.detail == problem.detail:
                return
            problem = changed(problem, since=known.since)
        else:
            _log.warning(
                "problem raised reason=%s where=%s integration=%s",
                problem.reason.value,
                problem.where,
                problem.integration_id,
            )
        await commit(table, [overwrite(_to_row(problem))])

    async def settle(self, integration_id: str, where: str, now: datetime, lasting: Reason | None) -> None:
        """Mark everything else at a place as resolved.

        Args:
            integration_id: whose problems.
            where: the object concerned.
            now: the moment of resolution (UTC).
            lasting: the reason that still holds there, if any.
        """
        table = await self._storage.table(TableName.PROBLEMS)
        rows = query(
            table,
            "PartitionKey eq @id and place eq @place and resolved_at eq ''",
            id=integration_id,
            place=where.lower(),
        )
        over = [problem async for row in rows if (problem := _from_row(row)).reason != lasting]
        await commit(table, [overwrite(_to_row(changed(problem, resolved_at=now))) for problem in over])

    async def settle_all(self, integration_id: str, now: datetime) -> None:
        """Mark all problems of an integration as resolved."""
        table = await self._storage.table(TableName.PROBLEMS)
        lasting = await self.list(integration_id)
        await commit(table, [overwrite(_to_row(changed(problem, resolved_at=now))) for problem in lasting])

    async def list(self, integration_id: str) -> list[Problem]:
        """The problems of an integration that last, oldest first."""
        table = await self._storage.table(TableName.PROBLEMS)
        rows = query(table, "PartitionKey eq @id and resolved_at eq ''", id=integration_id)
        return sorted([_from_row(row) async for row in rows], key=lambda problem: problem.since)


def _to_row(problem: Problem) -> Row:
    return {
        "PartitionKey": problem.integration_id,
        "RowKey": problem.id,
        "reason": problem.reason.value,
        "place": problem.where.lower(),
        "where": problem.where,
        "detail": problem.detail,
        "since": text_of(problem.since),
        "resolved_at": text_of(problem.resolved_at),
    }


def _from_row(row: Row) -> Problem:
    return Problem(
        integration_id=row["PartitionKey"],
        reason=Reason(row["reason"]),
        where=row["where"],
        detail=row["detail"],
        since=datetime.fromisoformat(row["since"]),
        resolved_at=moment_of(row["resolved_at"]),
    )
