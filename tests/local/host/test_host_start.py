import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from local.azurite import Azurite
from local.host.functions import AppRejectedError, StartError, prepare
from local.host.hostjson import HostSettings, QueueSettings, read_host_settings
from local.host.routes import Route, split_path
from local.host.worker import index
from tests.local.host.host_harness import ROOT, environment, write_app

GOOD = """
@app.route(route="things/{id}", methods=["get", "POST"])
async def things(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("")


@app.timer_trigger(arg_name="timer", schedule="%NIGHTLY%", run_on_startup=True)
async def nightly(timer: func.TimerRequest) -> None:
    print("noise")


print("noise while importing")
"""

QUEUED = """
@app.queue_trigger(arg_name="message", queue_name="queue", connection="Elsewhere")
async def f(message: func.QueueMessage) -> None: ...
"""
BEYOND = """
@app.blob_trigger(arg_name="blob", path="container/{name}", connection="LightkeeperStorage")
async def blobs(blob: func.InputStream) -> None: ...


@app.route()
@app.queue_output(arg_name="out", queue_name="queue", connection="LightkeeperStorage")
async def outputs(req: func.HttpRequest, out: func.Out[str]) -> func.HttpResponse: ...


@app.retry(strategy="fixed_delay", max_retry_count="3", delay_interval="00:00:01")
@app.timer_trigger(arg_name="timer", schedule="0 0 0 1 1 *")
async def retries(timer: func.TimerRequest) -> None: ...
"""


def start(
    folder: Path, settings: Mapping[str, str], *flags: str, app: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Start a host that is expected to refuse, and wait for its end."""
    command = [sys.executable, "-m", "local", "host", "--app", str(app or folder), *flags]
    return subprocess.run(  # noqa: S603 - our own program
        command, cwd=ROOT, env=dict(settings), capture_output=True, text=True, check=False, timeout=30
    )


@pytest.mark.parametrize(
    ("source", "message"),
    [
        # The decorators let this through; only the library sees that the parameter is missing.
        (
            '@app.timer_trigger(arg_name="timer", schedule="0 0 0 1 1 *")\nasync def f() -> None: ...',
            "cannot start: FunctionLoadError: cannot load the f function",
        ),
        (
            "@app.route()\nasync def f(req: int) -> func.HttpResponse: ...",
            "do not match the corresponding function parameter's Python type annotation int",
        ),
        ("raise ValueError('import went wrong')", "cannot start: ValueError: import went wrong"),
        ("import there_is_no_such_module", "No module named 'there_is_no_such_module'"),
        ("other = func.FunctionApp()", "More than one FunctionApp"),
        ("", "No functions found"),
    ],
)
def test_an_app_that_the_official_library_rejects_does_not_start(
    azurite: Azurite, tmp_path: Path, source: str, message: str
) -> None:
    write_app(tmp_path, source)
    ended = start(tmp_path, environment(azurite, tmp_path))
    assert (ended.returncode, ended.stdout) == (1, "")
    assert message in ended.stderr


@pytest.mark.parametrize(
    ("source", "settings", "message"),
    [
        (GOOD, {}, "function nightly: '%NIGHTLY%' in 'schedule'"),
        (GOOD, {"NIGHTLY": "every night"}, "function nightly: 'every night'"),
        (QUEUED, {}, "function f: no connection string in the setting 'Elsewhere'"),
        (QUEUED, {"Elsewhere": "nonsense"}, "function f: malformed connection string"),
    ],
)
def test_an_app_whose_settings_are_missing_or_wrong_does_not_start(
    azurite: Azurite, tmp_path: Path, source: str, settings: dict[str, str], message: str
) -> None:
    write_app(tmp_path, source)
    ended = start(tmp_path, environment(azurite, tmp_path, settings))
    assert (ended.returncode, ended.stdout) == (1, "")
    assert f"cannot start: {message}" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_what_this_host_does_not_have_is_refused_by_name(tmp_path: Path) -> None:
    functions = {function.name: function for function in index(write_app(tmp_path, BEYOND))}
    for name, message in {
        "blobs": "function blobs: this host has no blobTrigger",
        "outputs": "function outputs: this host has no binding queue",
        "retries": "function retries: this host has no retry policies",
    }.items():
        with pytest.raises(StartError, match=message):
            prepare(functions[name], {})


@pytest.mark.parametrize("template", ["a/{b:unknown}", "a/{b}.{c}", "a/{b", "{*rest}/a", "a/{b:length(x)}"])
def test_a_route_that_cannot_be_served_is_refused(template: str) -> None:
    with pytest.raises(StartError, match="route"):
        Route.parse(template)


@pytest.mark.parametrize(
    ("template", "path", "values"),
    [
        ("a/{b}", "a/x", {"b": "x"}),
        ("a/{b?}", "a", {}),
        ("a/{b=7}", "a", {"b": "7"}),
        ("a/{b:int:min(3)}", "a/2", None),
        ("a/{b:int:min(3)}", "a/3", {"b": "3"}),
        ("a/{b:max(3)}", "a/4", None),
        ("a/{b:range(3,5)}", "a/5", {"b": "5"}),
        ("a/{b:length(3)}", "a/abcd", None),
        ("a/{b:length(3,4)}", "a/abcd", {"b": "abcd"}),
        ("a/{b:minlength(2):maxlength(3)}", "a/abc", {"b": "abc"}),
        ("a/{b:long}", "a/99999999999", {"b": "99999999999"}),
        ("a/{b:bool}", "a/True", {"b": "True"}),
        ("a/{b:alpha}", "a/x1", None),
        (
            "a/{b:guid}",
            "a/0f8fad5b-d9cb-469f-a165-70867728950e",
            {"b": "0f8fad5b-d9cb-469f-a165-70867728950e"},
        ),
        ("a/{b:guid?}", "a/no-guid", None),
        ("a/{b:guid?}", "a", {}),
        ("a/{*rest}", "a/b/c", {"rest": "b/c"}),
    ],
)
def test_a_route_takes_what_its_template_says(
    template: str, path: str, values: dict[str, str] | None
) -> None:
    assert Route.parse(template).match(split_path(path)) == values


def test_a_folder_without_an_app_and_wrong_usage_are_refused(azurite: Azurite, tmp_path: Path) -> None:
    settings = environment(azurite, tmp_path)
    missing = start(tmp_path, settings, app=tmp_path / "nowhere")
    assert missing.returncode == 1
    assert "host.json is missing" in missing.stderr
    (tmp_path / "host.json").write_text('{"version": "2.0"}', encoding="utf-8")
    assert "needs a function_app.py" in start(tmp_path, settings).stderr
    assert start(tmp_path, settings, "--nonsense").returncode == 2


def test_index_tells_functions_and_bindings_of_one_app_after_another(tmp_path: Path) -> None:
    first = index(write_app(tmp_path / "first", GOOD))
    second = index(write_app(tmp_path / "second", GOOD.replace("nightly", "daily")))

    assert [function.name for function in first] == ["things", "nightly"]
    assert [function.name for function in second] == ["things", "daily"]
    things, nightly = first
    assert (things.trigger_type, things.route, things.methods) == (
        "httpTrigger",
        "things/{id}",
        ("GET", "POST"),
    )
    assert things.auth_level == "function"
    assert [binding["type"] for binding in things.bindings] == ["httpTrigger", "http"]
    assert (nightly.trigger_type, nightly.route, nightly.auth_level) == ("timerTrigger", None, None)
    assert nightly.bindings == (
        {
            "direction": "IN",
            "type": "timerTrigger",
            "name": "timer",
            "schedule": "%NIGHTLY%",
            "runOnStartup": True,
        },
    )


def test_index_raises_the_message_of_the_library(tmp_path: Path) -> None:
    write_app(tmp_path, "@app.route()\nasync def f() -> func.HttpResponse: ...")
    with pytest.raises(AppRejectedError, match="cannot load the f function"):
        index(tmp_path)


def read(folder: Path, document: object, settings: Mapping[str, str] | None = None) -> HostSettings:
    (folder / "host.json").write_text(json.dumps(document), encoding="utf-8")
    return read_host_settings(folder, settings or {})


def test_host_json_has_the_defaults_of_the_cloud(tmp_path: Path) -> None:
    assert read(tmp_path, {"version": "2.0"}) == HostSettings(
        queues=QueueSettings(16, 8, 5, 60.0, 0.0, base64=True),
        route_prefix="api",
        function_timeout_seconds=1800.0,
    )


def test_host_json_settings_are_read(tmp_path: Path) -> None:
    queues = {
        "batchSize": 32,
        "newBatchThreshold": 4,
        "maxDequeueCount": 2,
        "maxPollingInterval": "00:00:02",
        "visibilityTimeout": "1.00:00:30",
        "messageEncoding": "none",
    }
    document = {
        "version": "2.0",
        "functionTimeout": "-1",
        "extensions": {"queues": queues, "http": {"routePrefix": ""}},
    }
    assert read(tmp_path, document) == HostSettings(
        queues=QueueSettings(32, 4, 2, 2.0, 86_430.0, base64=False),
        route_prefix="",
        function_timeout_seconds=None,
    )


def test_the_environment_can_shorten_the_polling(tmp_path: Path) -> None:
    settings = read(tmp_path, {"version": "2.0"}, {"LOCAL_HOST_MAX_POLL_MS": "50"})
    assert settings.queues.max_polling_seconds == 0.05


@pytest.mark.parametrize(
    ("queues", "named"),
    [
        ({"batchSize": 33}, "batchSize"),
        ({"batchSize": "16"}, "batchSize"),
        ({"newBatchThreshold": -1}, "newBatchThreshold"),
        ({"maxDequeueCount": 0}, "maxDequeueCount"),
        ({"maxPollingInterval": "00:00:00.05"}, "maxPollingInterval"),
        ({"visibilityTimeout": 30}, "visibilityTimeout"),
        ({"messageEncoding": "utf-8"}, "messageEncoding"),
    ],
)
def test_a_wrong_queue_setting_is_named(tmp_path: Path, queues: dict[str, Any], named: str) -> None:
    with pytest.raises(StartError, match=named):
        read(tmp_path, {"version": "2.0", "extensions": {"queues": queues}})


@pytest.mark.parametrize("text", ["", "{", "[]", '{"version": "1.0"}', '{"version": "2.0", "extensions": 5}'])
def test_a_malformed_host_json_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "host.json").write_text(text, encoding="utf-8")
    with pytest.raises(StartError, match=r"host\.json"):
        read_host_settings(tmp_path, {})
