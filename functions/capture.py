"""Event Grid: a capture file was written. Timers: what waited long enough, what was missed, what adds up."""

import azure.functions as func

from shared.services import services
from shared.settings import STORAGE_CONNECTION

blueprint = func.Blueprint()


@blueprint.function_name("capture_created")
@blueprint.event_grid_trigger("event")
async def capture_created(event: func.EventGridEvent) -> None:
    """Correlate a capture file; a failure makes Event Grid deliver the event again."""
    await services().captures.handle(event.subject, event.get_json())


@blueprint.function_name("capture_files_job")
@blueprint.queue_trigger("message", "capture-files", STORAGE_CONNECTION)
async def capture_files_job(message: func.QueueMessage) -> None:
    """Correlate a capture file that was missed, or that is to be handled once more."""
    await services().again.run(message.get_body(), message.dequeue_count or 1)


@blueprint.function_name("capture_sweep_timer")
@blueprint.timer_trigger("timer", "%LIGHTKEEPER_CAPTURE_SWEEP_SCHEDULE%")
async def capture_sweep_timer(timer: func.TimerRequest) -> None:
    """Find capture files that no event announced."""
    del timer
    await services().sweep.sweep()


@blueprint.function_name("audit_timer")
@blueprint.timer_trigger("timer", "%LIGHTKEEPER_AUDIT_SCHEDULE%")
async def audit_timer(timer: func.TimerRequest) -> None:
    """Check that the ledger accounts for every entry of the last days."""
    del timer
    await services().audit.run()


@blueprint.function_name("operations_flush")
@blueprint.timer_trigger("timer", "%LIGHTKEEPER_FLUSH_SCHEDULE%")
async def operations_flush(timer: func.TimerRequest) -> None:
    """Emit the operations that have waited long enough for their rest."""
    del timer
    await services().flusher.flush()
