"""HTTP answers as the Functions host takes them."""

import azure.functions as func

from shared.model.answers import Answer


def response(answer: Answer) -> func.HttpResponse:
    """The answer, as a trigger returns it."""
    return func.HttpResponse(
        answer.body, status_code=answer.status, headers=answer.headers, mimetype=answer.content_type
    )
