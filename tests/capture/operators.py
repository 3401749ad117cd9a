"""The capture step with somebody who looks after what lies aside."""

import base64
import json
from typing import Any

import pytest

from shared.capture.again import Again
from shared.jobs.files import FILE_QUEUE, FileQueue
from shared.jobs.poison import MAX_DEQUEUE_COUNT
from shared.model.captures import CaptureFile, Counts
from shared.model.hubs import HubAssignment
from shared.model.reasons import Reason
from shared.portal.set_aside import SetAsideApi
from shared.store.blobs import ContainerName
from shared.store.problems import ProblemStore
from shared.store.replays import Replays
from shared.store.set_aside import SetAsideStore
from shared.store.storage import Storage
from tests.capture.app import RETENTION, App, Hubs
from tests.capture.scenes import WHOLE, hourly


class Operator:
    """The capture step in an account of its own, with somebody who looks after it."""

    def __init__(self, storage: Storage) -> None:
        self.app = App(storage)
        self.app.problems = ProblemStore(storage)
        self.aside = SetAsideStore(storage, self.app.problems, lambda: self.app.now)
        replays = Replays(
            blobs=self.app.blobs,
            captures=self.app.captures,
            hubs=self,
            kept=RETENTION,
            clock=lambda: self.app.now,
        )
        self.api = SetAsideApi(self.aside, replays, FileQueue(storage))

    @property
    def again(self) -> Again:
        return Again(self.app.new_handler(), self.aside, FileQueue(self.app.storage))

    async def find(self, namespace: str, hub: str) -> HubAssignment | None:
        """Whose hub it is by now."""
        return await Hubs(self.app.assignment).find(namespace, hub)

    async def listed(self) -> list[dict[str, Any]]:
        value: list[dict[str, Any]] = json.loads((await self.api.list()).body)["value"]
        return value

    async def reasons(self, integration: str) -> list[Reason]:
        return [problem.reason for problem in await self.app.problems.list(integration)]

    async def work(self) -> None:
        """Let the queue's function run until the queue is empty."""
        queue = await self.app.storage.queue(FILE_QUEUE)
        async for message in queue.receive_messages():
            text = base64.b64decode(message.content)
            await self.again.run(text, MAX_DEQUEUE_COUNT)
            await queue.delete_message(message)

    async def failing(self) -> CaptureFile:
        """A file that fails again and again, for hours, because its blob is not there."""
        file = await self.app.upload(WHOLE)
        await self.app.blobs.delete(ContainerName.CAPTURE, file.path)
        for _ in hourly(self.app):
            with pytest.raises(Exception, match="BlobNotFound"):
                await self.app.handle(file)
        assert await self.app.handle(file) == Counts(entries=1, set_aside=1)
        return file
