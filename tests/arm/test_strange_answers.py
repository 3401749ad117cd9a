"""Answers that are no answers: a proxy's page, half a body, another shape. A small server gives them."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Self

import pytest
from aiohttp import web
from azure.core.credentials import AccessToken

from shared.arm.connection import Arm
from shared.arm.diagnostic_settings import get_setting
from shared.arm.errors import ArmError, NotFoundError, RefusedError, ThrottledError, UnavailableError
from shared.arm.subscriptions import list_subscriptions
from tests.helpers.facts import PROVIDER_SUBSCRIPTION

type _Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class _AnyToken:
    """A credential that any server takes."""

    async def get_token(self, *_scopes: str, **_options: object) -> AccessToken:
        return AccessToken("made-up", 2**40)

    async def close(self) -> None:
        """Nothing to let go of."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Nothing to let go of."""


@asynccontextmanager
async def _connection(handler: _Handler) -> AsyncIterator[Arm]:
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        async with Arm(
            f"http://127.0.0.1:{runner.addresses[0][1]}", _AnyToken(), PROVIDER_SUBSCRIPTION
        ) as arm:
            yield arm
    finally:
        await runner.cleanup()


def _answering(status: int, body: str, content_type: str, **headers: str) -> _Handler:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, text=body, content_type=content_type, headers=headers)

    return answer


_HTML = "<html><body>Our proxy says hello</body></html>"


@pytest.mark.parametrize(
    ("handler", "kind"),
    [
        pytest.param(_answering(200, _HTML, "text/html"), UnavailableError, id="a proxy's page"),
        pytest.param(_answering(200, '{"value": [', "application/json"), UnavailableError, id="half a body"),
        pytest.param(_answering(302, "", "text/plain", Location="/x"), UnavailableError, id="a redirect"),
        pytest.param(_answering(502, _HTML, "text/html"), UnavailableError, id="a gateway's page"),
        pytest.param(_answering(429, "", "text/plain"), ThrottledError, id="429 without a body"),
        pytest.param(_answering(400, '"No."', "application/json"), RefusedError, id="an error in a string"),
        pytest.param(_answering(404, _HTML, "text/html"), NotFoundError, id="404 in HTML"),
        pytest.param(
            _answering(400, '{"code": 400016, "message": null}', "application/json"),
            RefusedError,
            id="a number for a code",
        ),
    ],
)
async def test_a_strange_answer_to_a_listing_is_an_error_of_ours(
    handler: _Handler, kind: type[ArmError]
) -> None:
    async with _connection(handler) as arm:
        with pytest.raises(ArmError) as raised:
            await list_subscriptions(arm)
    assert type(raised.value) is kind
    assert raised.value.detail


async def test_a_body_that_breaks_off_is_an_error_of_ours() -> None:
    async def broken(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "1000", "Content-Type": "application/json"})
        await response.prepare(request)
        await response.write(b'{"value": [')
        assert request.transport is not None
        request.transport.abort()
        return response

    async with _connection(broken) as arm:
        with pytest.raises(UnavailableError):
            await list_subscriptions(arm)


async def test_an_endpoint_where_nobody_answers_is_an_outage() -> None:
    async with _connection(_answering(200, "{}", "application/json")) as arm:
        url = arm._url
    async with Arm(url, _AnyToken(), PROVIDER_SUBSCRIPTION) as arm:
        with pytest.raises(UnavailableError, match="no answer"):
            await get_setting(arm, f"/subscriptions/{PROVIDER_SUBSCRIPTION}", "x")


async def test_a_token_is_never_sent_in_the_clear_to_another_machine() -> None:
    async with Arm("http://management.example", _AnyToken(), PROVIDER_SUBSCRIPTION) as arm:
        with pytest.raises(UnavailableError, match="no answer"):
            await list_subscriptions(arm)


async def test_a_listing_that_goes_on_elsewhere_takes_no_token_there() -> None:
    link = '{"value": [], "nextLink": "http://management.example/subscriptions?page=2"}'
    async with _connection(_answering(200, link, "application/json")) as arm:
        with pytest.raises(UnavailableError):
            await list_subscriptions(arm)
