"""HTTP requests and answers as the Functions host has them."""

from collections.abc import Awaitable
from urllib.parse import urlsplit

import azure.functions as func

from shared.model.answers import Answer
from shared.services import services


def origin(req: func.HttpRequest) -> str:
    """Where the caller reached the app, as `https://host`."""
    url = urlsplit(req.url)
    return f"{url.scheme}://{url.netloc}"


async def respond(coming: Awaitable[Answer]) -> func.HttpResponse:
    """The answer that is coming, as a trigger returns it."""
    answer = await services().answered(coming)
    return func.HttpResponse(
        answer.body, status_code=answer.status, headers=answer.headers, mimetype=answer.content_type
    )
