"""Event Grid: a capture file was written. Timer: operations have waited long enough."""

import azure.functions as func

from shared.services import services

blueprint = func.Blueprint()


@blueprint.function_name("capture_created")
@blueprint.event_grid_trigger("event")
async def capture_created(event: func.EventGridEvent) -> None:
    """Correlate a capture file; a failure makes Event Grid deliver the event again."""
    await services().captures.handle(event.subject, event.get_json())


@blueprint.function_name("operations_flush")
@blueprint.timer_trigger("timer", "%LIGHTKEEPER_FLUSH_SCHEDULE%")
async def operations_flush(timer: func.TimerRequest) -> None:
    """Emit the operations that have waited long enough for their rest."""
    del timer
    await services().flusher.flush()
