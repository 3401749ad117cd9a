"""The webhook to which Event Grid delivers: `/runtime/webhooks/EventGrid?functionName=…&code=…`.

Behaves as the Event Grid extension's HttpRequestProcessor (azure-sdk-for-net): the header
`aeg-event-type` decides, both the Event Grid schema and CloudEvents 1.0 are taken, and a body that
cannot be read is an error of the server, so that Event Grid delivers it again.
"""

import asyncio
import json
import logging
from collections.abc import Sequence
from typing import Any

from aiohttp import web

from local.host.functions import FunctionDescription
from local.host.invoker import Invoker
from local.host.keys import Keys
from local.host.protos import TypedData

_logger = logging.getLogger(__name__)


class EventGridWebhook:
    """Receives events for the app's Event Grid functions."""

    def __init__(self, functions: Sequence[FunctionDescription], keys: Keys, invoker: Invoker) -> None:
        self._keys = keys
        self._invoker = invoker
        self._functions = {
            function.name.lower(): function
            for function in functions
            if function.trigger_type == "eventGridTrigger"
        }

    async def handle(self, request: web.Request) -> web.Response:
        """Answer a validation, run the function once per event, or confirm the end of a subscription."""
        if not self._keys.allow("event_grid", request):
            return web.Response(status=401)
        function = self._functions.get(request.query.get("functionName", "").lower())
        if function is None:
            return web.Response(status=404, text="no such Event Grid function")
        return await self._take(function, request)

    async def _take(self, function: FunctionDescription, request: web.Request) -> web.Response:
        kind = request.headers.get("aeg-event-type", "").lower()
        if kind == "unsubscribe":
            return web.Response(status=202)
        if kind not in {"subscriptionvalidation", "notification"}:
            return web.Response(status=400)
        try:
            document = json.loads(await request.read())
            if kind == "subscriptionvalidation":
                return web.json_response({"validationResponse": _validation_code(document)})
            events = _events(document)
        except (ValueError, TypeError, LookupError):
            _logger.warning("event grid request refused function=%s reason=unreadable", function.name)
            return web.Response(status=500)
        return await self._deliver(function, events)

    async def _deliver(self, function: FunctionDescription, events: list[Any]) -> web.Response:
        runs = [self._invoker.run(function, TypedData(json=json.dumps(event))) for event in events]
        answers = await asyncio.gather(*runs)
        failed = any(answer.error is not None for answer in answers)
        return web.Response(status=500 if failed else 202)


def _validation_code(document: Any) -> str:  # noqa: ANN401 - any JSON
    if isinstance(document, list):
        return str(document[0]["data"]["validationCode"])
    data = document["data"]
    # The data of a validation in CloudEvents form is JSON inside a text.
    data = json.loads(data) if isinstance(data, str) else data
    return str(data["validationCode"])


def _events(document: Any) -> list[Any]:  # noqa: ANN401 - any JSON
    if isinstance(document, dict):
        return [document]
    if isinstance(document, list):
        return document
    raise ValueError("neither an event nor an array of events")
