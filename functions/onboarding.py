"""HTTP: what a customer is to run, and the files for it, by links that end."""

import azure.functions as func

from functions.respond import origin, respond
from shared.services import services

blueprint = func.Blueprint()


@blueprint.function_name("integrations_onboarding")
@blueprint.route("integrations/{id}/onboarding", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
async def integrations_onboarding(req: func.HttpRequest) -> func.HttpResponse:
    """`GET /api/integrations/{id}/onboarding`."""
    return await respond(services().onboarding.onboarding(req.route_params["id"], origin(req)))


@blueprint.function_name("onboarding_bicep")
@blueprint.route("integrations/{id}/onboarding.bicep", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
async def onboarding_bicep(req: func.HttpRequest) -> func.HttpResponse:
    """`GET /api/integrations/{id}/onboarding.bicep?sig=...`: the signature is the key."""
    return await respond(services().onboarding.file(req.route_params["id"], "onboarding.bicep", req.params))


@blueprint.function_name("subscription_bicep")
@blueprint.route("integrations/{id}/subscription.bicep", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
async def subscription_bicep(req: func.HttpRequest) -> func.HttpResponse:
    """`GET /api/integrations/{id}/subscription.bicep?sig=...`: the signature is the key."""
    return await respond(services().onboarding.file(req.route_params["id"], "subscription.bicep", req.params))


@blueprint.function_name("remove_sh")
@blueprint.route("integrations/{id}/remove.sh", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
async def remove_sh(req: func.HttpRequest) -> func.HttpResponse:
    """`GET /api/integrations/{id}/remove.sh?sig=...`: the signature is the key."""
    return await respond(services().onboarding.file(req.route_params["id"], "remove.sh", req.params))
