"""HTTP: the health of the deployment, and poison messages. Timer: problems follow the poison queues."""

import azure.functions as func

from functions.respond import respond
from shared.services import services

blueprint = func.Blueprint()


@blueprint.function_name("health_get")
@blueprint.route("health", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
async def health_get(req: func.HttpRequest) -> func.HttpResponse:
    """`GET /api/health`."""
    del req
    return await respond(services().health.health())


@blueprint.function_name("poison_replay")
@blueprint.route("poison/{queue}/{messageId}/replay", methods=["POST"], auth_level=func.AuthLevel.FUNCTION)
async def poison_replay(req: func.HttpRequest) -> func.HttpResponse:
    """`POST /api/poison/{queue}/{messageId}/replay`."""
    return await respond(services().health.replay(req.route_params["queue"], req.route_params["messageId"]))


@blueprint.function_name("poison_discard")
@blueprint.route("poison/{queue}/{messageId}", methods=["DELETE"], auth_level=func.AuthLevel.FUNCTION)
async def poison_discard(req: func.HttpRequest) -> func.HttpResponse:
    """`DELETE /api/poison/{queue}/{messageId}`."""
    return await respond(services().health.discard(req.route_params["queue"], req.route_params["messageId"]))


@blueprint.function_name("poison_timer")
@blueprint.timer_trigger("timer", "%LIGHTKEEPER_POISON_SCHEDULE%")
async def poison_timer(timer: func.TimerRequest) -> None:
    """Make the provider's problems say what the poison queues hold."""
    del timer
    await services().poison.check()
