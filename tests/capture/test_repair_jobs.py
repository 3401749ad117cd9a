"""Capture files through the whole step, and the jobs that then wait on the queues."""

import base64
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from uuid import uuid4

import pytest
from azure.core.exceptions import HttpResponseError

from shared.capture.repair import MOST_PER_STEP
from shared.jobs.message import decode
from shared.model.jobs import Cause, Job, Phase, Step, cycle_stamp
from shared.services import Services
from shared.store.tables import Stored
from shared.sync.context import Context
from tests.capture.activity_log import capture_file, envelope, record
from tests.capture.app import App
from tests.helpers.facts import a_guid, a_subscription, settings
from tests.helpers.waiting import wait_until

MINE = a_guid(1)
_INSIGHTS = "PROVIDERS/MICROSOFT.INSIGHTS/DIAGNOSTICSETTINGS"


def deleted(subscription_id: str, status: str = "Success", correlation: str = "c1") -> dict[str, object]:
    """Somebody deleted our setting on a subscription."""
    return record(
        status,
        correlation=correlation,
        operationName="MICROSOFT.INSIGHTS/DIAGNOSTICSETTINGS/DELETE",
        resourceId=f"/SUBSCRIPTIONS/{subscription_id}/{_INSIGHTS}/LIGHTKEEPER-LOGS".upper(),
    )


@dataclass
class Place:
    """A capture step whose repairs go to real queues, in a storage account of its own."""

    app: App
    context: Context

    async def waiting(self) -> list[Job]:
        """What waits on the queues of all steps, whether it can be seen yet or not."""
        return [job for step in Step for job in await self._on_queue(step)]

    async def _on_queue(self, step: Step) -> list[Job]:
        queue = await self.app.storage.queue(step.queue)
        count = (await queue.get_queue_properties()).approximate_message_count
        found: list[Job] = []

        async def all_seen() -> bool:
            seen = queue.receive_messages(max_messages=32, visibility_timeout=60)
            found.extend([decode(base64.b64decode(message.content)) async for message in seen])
            return len(found) == count

        await wait_until(all_seen)
        return found

    async def deliver(self, *records: object) -> None:
        """Let a capture file of these records come."""
        await self.app.handle(await self.app.upload(capture_file([envelope(*records)])))

    def job(self, step: Step, target: str = "") -> Job:
        phase = Phase.TARGET if target else Phase.PLAN
        whose = "" if step is Step.SUBSCRIPTIONS else self.app.integration
        return Job(step, phase, cycle_stamp(self.app.now), Cause.LOG, whose, target)


@pytest.fixture
async def place(account: str) -> AsyncIterator[Place]:
    services = Services(settings(LightkeeperStorage=account))
    async with services.sync.arm._credential, services.sync.queue._storage as storage:
        app = App(storage)
        context = replace(services.sync, clock=lambda: app.now)
        app.subscriptions = context.subscriptions
        app.repairs = app.new_repairs(context)
        row = a_subscription(1, integration_id=app.integration)
        await context.subscriptions.save([Stored(row, "")])
        yield Place(app, context)


async def test_a_deleted_setting_leads_to_one_job_for_its_subscription(place: Place) -> None:
    await place.deliver(deleted(MINE, "Start"), deleted(MINE), deleted(MINE, correlation="c2"))

    assert await place.waiting() == [place.job(Step.SUBSCRIPTION_SETTINGS, MINE)]


async def test_several_files_about_one_object_lead_to_one_job_while_it_waits(place: Place) -> None:
    for number in range(3):
        await place.deliver(deleted(MINE, correlation=f"c{number}"))

    assert await place.waiting() == [place.job(Step.SUBSCRIPTION_SETTINGS, MINE)]


async def test_what_changes_after_a_job_began_leads_to_another_job(place: Place) -> None:
    await place.deliver(deleted(MINE))
    await place.context.claims.drop(place.job(Step.SUBSCRIPTION_SETTINGS, MINE))
    await place.deliver(deleted(MINE, correlation="c2"))

    assert await place.waiting() == [place.job(Step.SUBSCRIPTION_SETTINGS, MINE)] * 2


async def test_a_job_that_waits_for_minutes_does_not_hold_a_repair_up(place: Place) -> None:
    cycle = Job(
        Step.SUBSCRIPTION_SETTINGS, Phase.TARGET, "20240501", Cause.CYCLE, place.app.integration, MINE
    )
    await place.context.send_once(cycle, 240)
    await place.deliver(deleted(MINE))
    queue = await place.app.storage.queue(Step.SUBSCRIPTION_SETTINGS.queue)

    assert (await queue.get_queue_properties()).approximate_message_count == 2


async def test_a_change_of_the_delegation_lists_the_subscriptions_of_all(place: Place) -> None:
    await place.deliver(
        record(
            "Success",
            operationName="MICROSOFT.MANAGEDSERVICES/REGISTRATIONASSIGNMENTS/DELETE",
            resourceId=f"/SUBSCRIPTIONS/{a_guid(9)}",
        )
    )

    assert await place.waiting() == [place.job(Step.SUBSCRIPTIONS)]


async def test_a_file_cannot_reach_into_another_integration(place: Place) -> None:
    other = a_subscription(2, integration_id=str(uuid4()))
    await place.context.subscriptions.save([Stored(other, "")])
    vault = f"/SUBSCRIPTIONS/{other.subscription_id}/RESOURCEGROUPS/G/PROVIDERS/MICROSOFT.KEYVAULT/VAULTS/V"
    foreign = record("Success", integration=other.integration_id, resourceId=vault)

    await place.deliver(deleted(other.subscription_id), deleted(a_guid(3), correlation="c2"), foreign)

    assert await place.waiting() == []


async def test_an_entry_without_a_correlation_id_leads_to_a_job_too(place: Place) -> None:
    await place.deliver(deleted(MINE, correlation=""))

    assert await place.waiting() == [place.job(Step.SUBSCRIPTION_SETTINGS, MINE)]


async def test_a_file_that_changes_too_much_leads_to_one_job_for_the_step(place: Place) -> None:
    group = f"/SUBSCRIPTIONS/{MINE}/RESOURCEGROUPS/G/PROVIDERS/MICROSOFT.KEYVAULT/VAULTS"
    vaults = [
        record("Success", correlation=f"c{n}", resourceId=f"{group}/V{n}") for n in range(MOST_PER_STEP + 1)
    ]

    await place.deliver(*vaults)

    assert await place.waiting() == [place.job(Step.RESOURCES)]


async def test_a_file_that_was_handled_before_sends_nothing_again(place: Place) -> None:
    file = await place.app.upload(capture_file([envelope(deleted(MINE))]))
    await place.app.handle(file)
    await place.context.claims.drop(place.job(Step.SUBSCRIPTION_SETTINGS, MINE))
    await place.app.handle(file)

    assert len(await place.waiting()) == 1


class Failing:
    """A queue that cannot be reached."""

    async def send_once(self, job: Job) -> None:
        raise HttpResponseError(f"no queue for {job.target}")


async def test_a_failing_queue_makes_the_delivery_come_again(place: Place) -> None:
    file = await place.app.upload(capture_file([envelope(deleted(MINE, "Start"), deleted(MINE))]))
    working = place.app.repairs
    place.app.repairs = place.app.new_repairs(Failing())

    with pytest.raises(HttpResponseError):
        await place.app.handle(file)
    assert await place.app.condensed() == {}
    place.app.repairs = working
    counts = await place.app.handle(file)

    assert counts.operations == 1
    [lines] = (await place.app.condensed()).values()
    assert len(lines) == 1
    assert await place.waiting() == [place.job(Step.SUBSCRIPTION_SETTINGS, MINE)]
