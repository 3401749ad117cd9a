"""Stores of open operations to which something happens when they are written."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta

from shared.store.bucket_rows import Loaded
from shared.store.drafts import ROOMY, Novelty
from shared.store.operations import OperationStore
from shared.store.wish import View
from tests.capture.app import WAIT, App

type Save = Callable[[], Awaitable[set[int]]]


class Meddled(OperationStore):
    """A store whose writes are handed to somebody who makes them, or not, and answers for them.

    Args:
        app: whose store it is.
        meddle: is given a write, and the numbers of the buckets that it is about.
        roomy: how much a row holds.
    """

    def __init__(
        self, app: App, meddle: Callable[[Save, set[int]], Awaitable[set[int]]], roomy: int = ROOMY
    ) -> None:
        super().__init__(app.storage, app.blobs, WAIT, timedelta(days=1), roomy=roomy)
        self._meddle = meddle

    async def save(
        self,
        integration_id: str,
        loaded: Mapping[int, Loaded],
        changes: Mapping[int, Sequence[Novelty]],
        view: View,
        *,
        apart: bool = False,
    ) -> set[int]:
        async def save() -> set[int]:
            return await super(Meddled, self).save(integration_id, loaded, changes, view, apart=apart)

        return await self._meddle(save, set(changes))


def failing(app: App, error: BaseException) -> Meddled:
    """Raises when everything is written down and nothing is handed on."""

    async def meddle(save: Save, _: set[int]) -> set[int]:
        await save()
        raise error

    return Meddled(app, meddle)


def overtaken(app: App, meanwhile: Callable[[], Awaitable[object]]) -> Meddled:
    """Loses its first race: something else happens after it has read and before it writes."""
    left = [meanwhile]

    async def meddle(save: Save, _: set[int]) -> set[int]:
        while left:
            await left.pop()()
        return await save()

    return Meddled(app, meddle)


def unheard(app: App) -> Meddled:
    """Writes, and is told at first that somebody else was faster, as after an answer that got lost."""
    told: list[bool] = []

    async def meddle(save: Save, numbers: set[int]) -> set[int]:
        lost = await save()
        told.append(True)
        return numbers if len(told) == 1 else lost

    return Meddled(app, meddle, roomy=10)
