"""HTTP requests and answers as the Functions host has them."""

from urllib.parse import urlsplit

import azure.functions as func

from shared.model.answers import Answer


def origin(req: func.HttpRequest) -> str:
    """Where the caller reached the app, as `https://host`."""
    url = urlsplit(req.url)
    return f"{url.scheme}://{url.netloc}"


def response(answer: Answer) -> func.HttpResponse:
    """The answer, as a trigger returns it."""
    return func.HttpResponse(
        answer.body, status_code=answer.status, headers=answer.headers, mimetype=answer.content_type
    )
