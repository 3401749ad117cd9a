"""HTTP: capture files of which something was set aside."""

import azure.functions as func

from functions.respond import respond
from shared.services import services

blueprint = func.Blueprint()


@blueprint.function_name("set_aside_list")
@blueprint.route("set-aside", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
async def set_aside_list(req: func.HttpRequest) -> func.HttpResponse:
    """`GET /api/set-aside`."""
    del req
    return await respond(services().set_aside.list())


@blueprint.function_name("set_aside_replay")
@blueprint.route("set-aside/{id}/replay", methods=["POST"], auth_level=func.AuthLevel.FUNCTION)
async def set_aside_replay(req: func.HttpRequest) -> func.HttpResponse:
    """`POST /api/set-aside/{id}/replay`."""
    return await respond(services().set_aside.replay(req.route_params["id"]))


@blueprint.function_name("set_aside_discard")
@blueprint.route("set-aside/{id}", methods=["DELETE"], auth_level=func.AuthLevel.FUNCTION)
async def set_aside_discard(req: func.HttpRequest) -> func.HttpResponse:
    """`DELETE /api/set-aside/{id}`."""
    return await respond(services().set_aside.discard(req.route_params["id"]))
