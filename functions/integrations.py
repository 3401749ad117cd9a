"""HTTP: register customer tenants, look at them, and let them go."""

import azure.functions as func

from functions.respond import origin, respond
from shared.services import services

blueprint = func.Blueprint()


@blueprint.function_name("integrations_register")
@blueprint.route("integrations", methods=["POST"], auth_level=func.AuthLevel.FUNCTION)
async def integrations_register(req: func.HttpRequest) -> func.HttpResponse:
    """`POST /api/integrations`."""
    return await respond(services().api.register(req.get_body(), origin(req)))


@blueprint.function_name("integrations_list")
@blueprint.route("integrations", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
async def integrations_list(req: func.HttpRequest) -> func.HttpResponse:
    """`GET /api/integrations`."""
    del req
    return await respond(services().api.integrations())


@blueprint.function_name("integrations_get")
@blueprint.route("integrations/{id}", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
async def integrations_get(req: func.HttpRequest) -> func.HttpResponse:
    """`GET /api/integrations/{id}`."""
    return await respond(services().api.integration(req.route_params["id"]))


@blueprint.function_name("integrations_subscriptions")
@blueprint.route("integrations/{id}/subscriptions", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
async def integrations_subscriptions(req: func.HttpRequest) -> func.HttpResponse:
    """`GET /api/integrations/{id}/subscriptions`."""
    return await respond(services().api.subscriptions(req.route_params["id"]))


@blueprint.function_name("integrations_resources")
@blueprint.route("integrations/{id}/resources", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
async def integrations_resources(req: func.HttpRequest) -> func.HttpResponse:
    """`GET /api/integrations/{id}/resources?coverage=&top=&continuationToken=`."""
    return await respond(services().api.resources(req.route_params["id"], req.params))


@blueprint.function_name("integrations_sync")
@blueprint.route("integrations/{id}/sync", methods=["POST"], auth_level=func.AuthLevel.FUNCTION)
async def integrations_sync(req: func.HttpRequest) -> func.HttpResponse:
    """`POST /api/integrations/{id}/sync`."""
    return await respond(services().commands.sync(req.route_params["id"]))


@blueprint.function_name("integrations_offboard")
@blueprint.route("integrations/{id}", methods=["DELETE"], auth_level=func.AuthLevel.FUNCTION)
async def integrations_offboard(req: func.HttpRequest) -> func.HttpResponse:
    """`DELETE /api/integrations/{id}`."""
    return await respond(services().commands.offboard(req.route_params["id"]))


@blueprint.function_name("integrations_offboarding")
@blueprint.route("integrations/{id}/offboarding", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
async def integrations_offboarding(req: func.HttpRequest) -> func.HttpResponse:
    """`GET /api/integrations/{id}/offboarding`."""
    return await respond(services().api.offboarding(req.route_params["id"]))
