"""HTTP: register customer tenants and look at them."""

import azure.functions as func

from shared.model.answers import Answer
from shared.services import services

blueprint = func.Blueprint()


@blueprint.function_name("integrations_register")
@blueprint.route("integrations", methods=["POST"], auth_level=func.AuthLevel.FUNCTION)
async def integrations_register(req: func.HttpRequest) -> func.HttpResponse:
    """`POST /api/integrations`."""
    return _response(await services().api.register(req.get_body()))


@blueprint.function_name("integrations_list")
@blueprint.route("integrations", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
async def integrations_list(req: func.HttpRequest) -> func.HttpResponse:
    """`GET /api/integrations`."""
    del req
    return _response(await services().api.integrations())


@blueprint.function_name("integrations_get")
@blueprint.route("integrations/{id}", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
async def integrations_get(req: func.HttpRequest) -> func.HttpResponse:
    """`GET /api/integrations/{id}`."""
    return _response(await services().api.integration(req.route_params["id"]))


@blueprint.function_name("integrations_subscriptions")
@blueprint.route("integrations/{id}/subscriptions", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
async def integrations_subscriptions(req: func.HttpRequest) -> func.HttpResponse:
    """`GET /api/integrations/{id}/subscriptions`."""
    return _response(await services().api.subscriptions(req.route_params["id"]))


def _response(answer: Answer) -> func.HttpResponse:
    return func.HttpResponse(
        answer.body, status_code=answer.status, headers=answer.headers, mimetype=answer.content_type
    )
