"""What an operator asks for, over real tables and queues: once, however often it is asked."""

import asyncio
import base64
import json
from typing import Any

from shared.model.integration import Integration, IntegrationStatus
from shared.model.jobs import Cause, Step
from shared.portal.commands import Commands
from tests.helpers.facts import a_guid
from tests.helpers.lab import Lab
from tests.helpers.waiting import wait_until

_STEPS = [step for step in Step if step is not Step.OFFBOARDING]


def _commands(lab: Lab) -> Commands:
    context = lab.context
    return Commands(
        integrations=context.integrations,
        claims=context.claims,
        problems=context.problems,
        jobs=context,
        clock=context.clock,
    )


async def _jobs(lab: Lab, step: Step) -> list[dict[str, Any]]:
    """The jobs on a queue, those that wait included, as soon as they can be seen."""
    queue = await lab.storage.queue(step.queue)
    count = (await queue.get_queue_properties()).approximate_message_count or 0
    found: list[str] = []

    async def all_seen() -> bool:
        found.extend([str(each.content) async for each in queue.receive_messages(visibility_timeout=30)])
        return len(found) >= count

    await wait_until(all_seen)
    return [json.loads(base64.b64decode(text)) for text in found]


async def _customer(lab: Lab) -> Integration:
    return await lab.integrate("contoso", lab.world.guid())


async def test_every_step_gets_one_job_however_often_it_is_asked(lab: Lab) -> None:
    integration = await _customer(lab)

    answers = await asyncio.gather(*(_commands(lab).sync(integration.id.upper()) for _ in range(4)))
    later = await _commands(lab).sync(integration.id)

    assert {answer.status for answer in answers} == {202}
    for step in _STEPS:
        (job,) = await _jobs(lab, step)
        assert (job["kind"], job["reason"]) == (f"{step.value}:plan", Cause.OPERATOR.value)
        assert job["integration"] == integration.id
    (first,) = {json.loads(answer.body)["cycle"] for answer in [later]}
    assert first in {json.loads(answer.body)["cycle"] for answer in answers}
    assert await _jobs(lab, Step.OFFBOARDING) == []


async def test_when_the_job_has_begun_another_can_be_asked_for(lab: Lab) -> None:
    integration = await _customer(lab)
    stamps = []
    for _ in range(2):
        stamps.append(json.loads((await _commands(lab).sync(integration.id)).body)["cycle"])
        for step in _STEPS:
            await lab.run(lab.job(step, "", integration.id, Cause.OPERATOR))
        lab.world.clock.move(1)
    assert stamps[0] < stamps[1]


async def test_who_is_not_there_cannot_be_synchronised_or_offboarded(lab: Lab) -> None:
    for integration_id in (a_guid(9), "tenant~1", "", "x" * 300):
        assert (await _commands(lab).sync(integration_id)).status == 404
        assert (await _commands(lab).offboard(integration_id)).status == 404


async def test_offboarding_begins_once_and_ends_the_watching(lab: Lab) -> None:
    integration = await _customer(lab)

    answers = await asyncio.gather(*(_commands(lab).offboard(integration.id) for _ in range(5)))

    assert {answer.status for answer in answers} == {202}
    found = await lab.context.integrations.get(integration.id)
    assert found is not None
    assert (found.status, found.kept) == (IntegrationStatus.OFFBOARDING, False)
    assert found.offboarding_at is not None
    assert await lab.context.integrations.list() == []
    assert len(await _jobs(lab, Step.OFFBOARDING)) == 1
    assert (await _commands(lab).sync(integration.id)).status == 409
