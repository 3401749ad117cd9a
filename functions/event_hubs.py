"""HTTP: which customers have an event hub in which region."""

import azure.functions as func

from functions.respond import respond
from shared.services import services

blueprint = func.Blueprint()


@blueprint.function_name("event_hubs_mapping")
@blueprint.route("event-hubs/mapping", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
async def event_hubs_mapping(req: func.HttpRequest) -> func.HttpResponse:
    """`GET /api/event-hubs/mapping?version=`."""
    return await respond(services().mapping.mapping(req.params.get("version", "")))


@blueprint.function_name("event_hubs_mapping_versions")
@blueprint.route("event-hubs/mapping/versions", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
async def event_hubs_mapping_versions(req: func.HttpRequest) -> func.HttpResponse:
    """`GET /api/event-hubs/mapping/versions`."""
    del req
    return await respond(services().mapping.versions())
