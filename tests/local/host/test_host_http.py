import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.azurite import Azurite
from tests.local.host.host_harness import KEYS, RunningHost, environment, write_app

APP = """
@app.route(route="echo/{id:int}/{extra?}", methods=["GET", "POST"])
async def echo(req: func.HttpRequest) -> func.HttpResponse:
    facts = {
        "method": req.method, "url": req.url, "route": dict(req.route_params), "query": dict(req.params),
        "header": req.headers.get("X-Custom"), "body": req.get_body().hex(),
    }
    return func.HttpResponse(json.dumps(facts), mimetype="application/json")


@app.route(route="made", methods=["PUT"], auth_level=func.AuthLevel.ANONYMOUS)
async def made(req: func.HttpRequest) -> func.HttpResponse:
    headers = {"Location": "/somewhere", "Set-Cookie": "a=b; Path=/; HttpOnly; SameSite=Lax; Max-Age=60"}
    return func.HttpResponse(b"\\x00\\xff", status_code=201, headers=headers, mimetype="application/x-thing")


@app.route(route="made", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
def plain(req: func.HttpRequest) -> str:
    print("this is no ready line")
    return os.getcwd()


@app.route(route="things/{name}", auth_level=func.AuthLevel.ANONYMOUS)
async def thing(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("thing " + req.route_params["name"])


@app.route(route="things/special", auth_level=func.AuthLevel.ANONYMOUS)
async def special(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("special")


@app.route(route="files/{*path}", auth_level=func.AuthLevel.ANONYMOUS)
async def files(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(req.route_params["path"])


@app.route(auth_level=func.AuthLevel.ADMIN)
async def closed(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(status_code=204)


@app.route(auth_level=func.AuthLevel.ANONYMOUS)
async def broken(req: func.HttpRequest) -> func.HttpResponse:
    raise RuntimeError("broken on purpose")


@app.route(auth_level=func.AuthLevel.ANONYMOUS)
async def slow(req: func.HttpRequest) -> func.HttpResponse:
    await asyncio.sleep(60)


@app.route(auth_level=func.AuthLevel.ANONYMOUS)
def slow_thread(req: func.HttpRequest) -> func.HttpResponse:
    time.sleep(3)
"""


@pytest.fixture(scope="module")
def host(azurite: Azurite, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHost]:
    folder = write_app(tmp_path_factory.mktemp("http"), APP, {"functionTimeout": "00:00:01"})
    with RunningHost(folder, environment(azurite, folder)) as running:
        yield running


def test_the_ready_line_names_the_functions_and_shows_no_key(host: RunningHost) -> None:
    assert host.ready["functions"][:2] == ["echo", "made"]
    assert host.ready["generatedKeys"] == []
    assert not any(key in json.dumps(host.ready) for key in KEYS.values())


async def test_a_function_sees_method_url_route_query_header_and_raw_body(host: RunningHost) -> None:
    reply = await host.call(
        "POST",
        "/api/echo/12/more%20of?a=1&a=2&b=%C3%A4",
        KEYS["function"],
        data=b"\x00\xff",
        headers={"X-Custom": "yes"},
    )
    assert reply.json() == {
        "method": "POST",
        "url": f"{host.url}/api/echo/12/more%20of?a=1&a=2&b=%C3%A4",
        "route": {"id": "12", "extra": "more of"},
        "query": {"a": "1,2", "b": "ä"},
        "header": "yes",
        "body": "00ff",
    }


async def test_status_headers_cookies_and_body_of_the_answer_arrive(host: RunningHost) -> None:
    reply = await host.call("PUT", "/api/made")
    assert (reply.status, reply.body) == (201, b"\x00\xff")
    assert reply.headers["Location"] == "/somewhere"
    assert reply.headers["Content-Type"] == "application/x-thing"
    assert [sorted(cookie.split("; ")) for cookie in reply.cookies] == [
        ["HttpOnly", "Max-Age=60", "Path=/", "SameSite=Lax", "a=b"]
    ]


async def test_a_text_is_an_answer_and_the_app_works_in_its_own_folder(host: RunningHost) -> None:
    reply = await host.call("GET", "/api/made")
    assert (reply.status, reply.body.decode()) == (200, str(host.child.log.parents[1]))


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/echo/letters"),
        ("GET", "/api/echo/99999999999"),
        ("GET", "/api/echo"),
        ("GET", "/api/echo/1/2/3"),
        ("DELETE", "/api/echo/1"),
        ("GET", "/echo/1"),
        ("GET", "/api/unknown"),
        ("GET", "/"),
    ],
)
async def test_what_no_route_and_method_fit_is_not_found(host: RunningHost, method: str, path: str) -> None:
    assert (await host.call(method, path, KEYS["function"])).status == 404


async def test_a_literal_route_wins_and_letters_may_differ_in_case(host: RunningHost) -> None:
    assert (await host.call("GET", "/API/Things/SPECIAL")).body == b"special"
    assert (await host.call("GET", "/api/things/Other")).body == b"thing Other"


async def test_a_catch_all_takes_the_rest_of_the_path(host: RunningHost) -> None:
    assert (await host.call("GET", "/api/files/a/b/c.txt")).body == b"a/b/c.txt"
    assert (await host.call("GET", "/api/files")).body == b""


@pytest.mark.parametrize(
    ("path", "key", "status"),
    [
        ("/api/echo/1", None, 401),
        ("/api/echo/1", "wrong", 401),
        ("/api/echo/1", "", 401),
        ("/api/echo/1", KEYS["event_grid"], 401),
        ("/api/echo/1", KEYS["function"], 200),
        ("/api/echo/1", KEYS["master"], 200),
        (f"/api/echo/1?code={KEYS['function']}", None, 200),
        ("/api/echo/1?code=wrong", None, 401),
        (f"/api/echo/1?code={KEYS['function']}", "wrong", 401),
        ("/api/echo/1?code=wrong", KEYS["function"], 200),
        ("/api/closed", KEYS["function"], 401),
        ("/api/closed", KEYS["master"], 204),
        ("/api/made", "wrong", 200),
    ],
)
async def test_each_level_opens_to_its_keys_only(
    host: RunningHost, path: str, key: str | None, status: int
) -> None:
    assert (await host.call("GET", path, key)).status == status


async def test_a_failing_function_answers_500_and_its_traceback_is_in_the_log(host: RunningHost) -> None:
    reply = await host.call("GET", "/api/broken")
    assert (reply.status, reply.body) == (500, b"")
    assert "RuntimeError: broken on purpose" in host.log
    assert "function=broken trigger=http id=" in host.log


@pytest.mark.parametrize("path", ["/api/slow", "/api/slow_thread"])
async def test_a_function_that_exceeds_its_time_is_ended(host: RunningHost, path: str) -> None:
    assert (await host.call("GET", path)).status == 500


async def test_neither_bodies_nor_keys_reach_the_log(host: RunningHost) -> None:
    await host.call("POST", "/api/echo/1?secret=of-query", KEYS["function"], data=b"secret of body")
    assert "result=succeeded" in host.log
    assert "secret" not in host.log
    assert not any(key in host.log for key in KEYS.values())


def test_keys_that_nobody_gave_are_made_and_shown_on_demand(azurite: Azurite, tmp_path: Path) -> None:
    settings = environment(azurite, write_app(tmp_path, APP))
    del settings["LOCAL_HOST_FUNCTION_KEY"]
    with RunningHost(tmp_path, settings, "--print-keys") as running:
        assert running.ready["generatedKeys"] == ["function"]
        assert running.ready["keys"]["master"] == KEYS["master"]
        assert len(running.ready["keys"]["function"]) > 30
