"""A host in a process of its own, running a small app that a test has written."""

import asyncio
import json
import os
import sys
import textwrap
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import aiohttp

from local.azurite import Azurite
from local.process import Child

ROOT = Path(__file__).resolve().parents[3]
KEYS = {"function": "function-key-1", "master": "master-key-2", "event_grid": "event-grid-key-3"}

_START_SECONDS = 30
_PREAMBLE = """
import asyncio
import json
import logging
import os
import time

import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)


def report(**facts):
    with open(os.environ["REPORT"], "a", encoding="utf-8") as file:
        file.write(json.dumps(facts) + "\\n")
"""


def write_app(folder: Path, source: str, host: Mapping[str, Any] | None = None) -> Path:
    """Write function_app.py and host.json; the source can use `app`, `func` and `report(**facts)`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "function_app.py").write_text(_PREAMBLE + textwrap.dedent(source), encoding="utf-8")
    (folder / "host.json").write_text(json.dumps({"version": "2.0", **(host or {})}), encoding="utf-8")
    return folder


def environment(azurite: Azurite, folder: Path, settings: Mapping[str, str] | None = None) -> dict[str, str]:
    """What the host and the app find in their environment."""
    return {
        **os.environ,
        "LightkeeperStorage": azurite.connection_string,
        "AzureWebJobsStorage": azurite.connection_string,
        "LOCAL_HOST_FUNCTION_KEY": KEYS["function"],
        "LOCAL_HOST_MASTER_KEY": KEYS["master"],
        "LOCAL_HOST_EVENTGRID_KEY": KEYS["event_grid"],
        "LOCAL_HOST_MAX_POLL_MS": "100",
        "REPORT": str(folder / "report.jsonl"),
        **(settings or {}),
    }


@dataclass(frozen=True)
class Reply:
    """One HTTP response, read whole."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    cookies: tuple[str, ...] = ()

    def json(self) -> Any:  # noqa: ANN401 - any JSON
        """The body as JSON."""
        return json.loads(self.body)


class RunningHost:
    """A host process; `ready` is its ready line."""

    def __init__(self, folder: Path, settings: Mapping[str, str], *flags: str) -> None:
        self._report = Path(settings["REPORT"])
        command = [sys.executable, "-m", "local", "host", "--app", str(folder), "--until-stdin-closes"]
        self.child = Child("host", [*command, *flags], settings, folder / "logs", ROOT)
        try:
            self.ready: dict[str, Any] = self.child.wait_until(_ready_line, _START_SECONDS)
        except BaseException:
            self.child.stop()
            raise
        self.url = str(self.ready["url"])

    @property
    def log(self) -> str:
        """All that it has printed."""
        return self.child.log.read_text(encoding="utf-8")

    def reports(self, **facts: object) -> list[dict[str, Any]]:
        """What the app reported so far and has these facts."""
        if not self._report.exists():
            return []
        lines = self._report.read_text(encoding="utf-8").splitlines()
        return [item for item in map(json.loads, lines) if facts.items() <= item.items()]

    async def wait_for(self, count: int = 1, **facts: object) -> list[dict[str, Any]]:
        """Wait until the app has reported so many items with these facts."""
        return await eventually(lambda: found if len(found := self.reports(**facts)) >= count else None)

    async def call(self, method: str, path: str, key: str | None = None, **options: Any) -> Reply:  # noqa: ANN401 - those of aiohttp
        """Send one request, with a key in the header if given."""
        headers = {**({} if key is None else {"x-functions-key": key}), **options.pop("headers", {})}
        async with (
            aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session,
            session.request(method, self.url + path, headers=headers, **options) as response,
        ):
            cookies = tuple(response.headers.getall("Set-Cookie", ()))
            return Reply(response.status, dict(response.headers), await response.read(), cookies)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.child.stop()


async def eventually[T](probe: Callable[[], T | None], seconds: float = 15) -> T:
    """Ask again and again until the answer is something true."""
    deadline = time.monotonic() + seconds
    while True:
        answer = probe()
        if answer:
            return answer
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.02)


async def still(probe: Callable[[], bool], seconds: float) -> bool:
    """Whether something stays true for a while."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not probe():
            return False
        await asyncio.sleep(0.02)
    return True


def _ready_line(line: str) -> dict[str, Any] | None:
    return json.loads(line) if line.startswith('{"ready"') else None
