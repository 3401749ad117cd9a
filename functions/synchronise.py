"""Timers and queues of the synchronisation: each step has one of both."""

import azure.functions as func

from shared.model.jobs import Cause, Step
from shared.services import services
from shared.settings import STORAGE_CONNECTION

blueprint = func.Blueprint()


@blueprint.function_name("subscriptions_timer")
@blueprint.timer_trigger("timer", "%LIGHTKEEPER_SUBSCRIPTIONS_SCHEDULE%")
async def subscriptions_timer(timer: func.TimerRequest) -> None:
    """Start a cycle of step 1: list subscriptions."""
    del timer
    await services().sync.start(Step.SUBSCRIPTIONS, Cause.CYCLE)


@blueprint.function_name("subscriptions_job")
@blueprint.queue_trigger("message", "sync-subscriptions", STORAGE_CONNECTION)
async def subscriptions_job(message: func.QueueMessage) -> None:
    """Run a job of step 1."""
    await services().jobs.run(Step.SUBSCRIPTIONS.queue, message.get_body())


@blueprint.function_name("subscription_settings_timer")
@blueprint.timer_trigger("timer", "%LIGHTKEEPER_SUBSCRIPTION_SETTINGS_SCHEDULE%")
async def subscription_settings_timer(timer: func.TimerRequest) -> None:
    """Start a cycle of step 2: a diagnostic setting on each subscription."""
    del timer
    await services().sync.start(Step.SUBSCRIPTION_SETTINGS, Cause.CYCLE)


@blueprint.function_name("subscription_settings_job")
@blueprint.queue_trigger("message", "sync-subscription-settings", STORAGE_CONNECTION)
async def subscription_settings_job(message: func.QueueMessage) -> None:
    """Run a job of step 2."""
    await services().jobs.run(Step.SUBSCRIPTION_SETTINGS.queue, message.get_body())


@blueprint.function_name("resources_timer")
@blueprint.timer_trigger("timer", "%LIGHTKEEPER_RESOURCES_SCHEDULE%")
async def resources_timer(timer: func.TimerRequest) -> None:
    """Start a cycle of step 3: list resources."""
    del timer
    await services().sync.start(Step.RESOURCES, Cause.CYCLE)


@blueprint.function_name("resources_job")
@blueprint.queue_trigger("message", "sync-resources", STORAGE_CONNECTION)
async def resources_job(message: func.QueueMessage) -> None:
    """Run a job of step 3."""
    await services().jobs.run(Step.RESOURCES.queue, message.get_body())


@blueprint.function_name("resource_settings_timer")
@blueprint.timer_trigger("timer", "%LIGHTKEEPER_RESOURCE_SETTINGS_SCHEDULE%")
async def resource_settings_timer(timer: func.TimerRequest) -> None:
    """Start a cycle of step 4: a diagnostic setting on each resource."""
    del timer
    await services().sync.start(Step.RESOURCE_SETTINGS, Cause.CYCLE)


@blueprint.function_name("resource_settings_job")
@blueprint.queue_trigger("message", "sync-resource-settings", STORAGE_CONNECTION)
async def resource_settings_job(message: func.QueueMessage) -> None:
    """Run a job of step 4."""
    await services().jobs.run(Step.RESOURCE_SETTINGS.queue, message.get_body())


@blueprint.function_name("workspace_exports_timer")
@blueprint.timer_trigger("timer", "%LIGHTKEEPER_WORKSPACE_EXPORTS_SCHEDULE%")
async def workspace_exports_timer(timer: func.TimerRequest) -> None:
    """Start a cycle of step 5: a data export rule on each workspace."""
    del timer
    await services().sync.start(Step.WORKSPACE_EXPORTS, Cause.CYCLE)


@blueprint.function_name("workspace_exports_job")
@blueprint.queue_trigger("message", "sync-workspace-exports", STORAGE_CONNECTION)
async def workspace_exports_job(message: func.QueueMessage) -> None:
    """Run a job of step 5."""
    await services().jobs.run(Step.WORKSPACE_EXPORTS.queue, message.get_body())


@blueprint.function_name("event_hubs_timer")
@blueprint.timer_trigger("timer", "%LIGHTKEEPER_EVENT_HUBS_SCHEDULE%")
async def event_hubs_timer(timer: func.TimerRequest) -> None:
    """Start a cycle of step 6: namespaces and event hubs."""
    del timer
    await services().sync.start(Step.EVENT_HUBS, Cause.CYCLE)


@blueprint.function_name("event_hubs_job")
@blueprint.queue_trigger("message", "sync-event-hubs", STORAGE_CONNECTION)
async def event_hubs_job(message: func.QueueMessage) -> None:
    """Run a job of step 6."""
    await services().jobs.run(Step.EVENT_HUBS.queue, message.get_body())


@blueprint.function_name("alert_exports_timer")
@blueprint.timer_trigger("timer", "%LIGHTKEEPER_ALERT_EXPORTS_SCHEDULE%")
async def alert_exports_timer(timer: func.TimerRequest) -> None:
    """Start a cycle of step 7: the export of Defender for Cloud alerts."""
    del timer
    await services().sync.start(Step.ALERT_EXPORTS, Cause.CYCLE)


@blueprint.function_name("alert_exports_job")
@blueprint.queue_trigger("message", "sync-alert-exports", STORAGE_CONNECTION)
async def alert_exports_job(message: func.QueueMessage) -> None:
    """Run a job of step 7."""
    await services().jobs.run(Step.ALERT_EXPORTS.queue, message.get_body())


@blueprint.function_name("offboarding_timer")
@blueprint.timer_trigger("timer", "%LIGHTKEEPER_OFFBOARDING_SCHEDULE%")
async def offboarding_timer(timer: func.TimerRequest) -> None:
    """Look again at every integration that is being offboarded."""
    del timer
    await services().sync.start(Step.OFFBOARDING, Cause.CYCLE)


@blueprint.function_name("offboarding_job")
@blueprint.queue_trigger("message", "sync-offboarding", STORAGE_CONNECTION)
async def offboarding_job(message: func.QueueMessage) -> None:
    """Run a job of an offboarding."""
    await services().jobs.run(Step.OFFBOARDING.queue, message.get_body())
