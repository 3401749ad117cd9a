"""`python -m local host`: run the Functions app on this machine as the cloud's host would."""

import argparse
import asyncio
import contextlib
import json
import logging
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from local.host.application import Application, Options
from local.host.functions import StartError
from local.host.keys import Keys
from local.host.queues import LEASE_SECONDS

# A function that holds on to its thread or ignores its end must not keep the process.
_LAST_RESORT_SECONDS = 3.8

_logger = logging.getLogger(__name__)


def main(arguments: list[str]) -> int:
    """Run until a signal, or the end of standard input if so asked.

    Prints one JSON line when ready: `ready`, `url`, `functions` (names), `generatedKeys` (names of the
    keys that the environment did not set) and, if asked for, `keys`.

    Returns:
        The exit status: 0 after an orderly end, 1 if the app cannot be started, 2 for wrong usage.
    """
    options = _parse(arguments)
    _log_to_stderr()
    answer_to = sys.stdout
    # Standard output is for the ready line; what the app prints joins the log.
    with contextlib.redirect_stdout(sys.stderr):
        try:
            asyncio.run(_run(options, answer_to))
        except StartError as error:
            _logger.error("cannot start: %s", error)  # noqa: TRY400 - a message for users, no traceback
            return 1
    return 0


async def _run(options: argparse.Namespace, answer_to: Any) -> None:  # noqa: ANN401 - any text stream
    stop = _stop_event(until_stdin_closes=options.until_stdin_closes)
    keys = Keys.from_environment(os.environ)
    application = await Application.load(
        Options(options.app.resolve(), options.port, options.queue_lease_seconds), keys, os.environ
    )
    async with application:
        ready: dict[str, Any] = {
            "ready": True,
            "url": application.url,
            "functions": [function.name for function in application.functions],
            "generatedKeys": list(keys.generated),
        }
        if options.print_keys:
            ready["keys"] = keys.as_json()
        print(json.dumps(ready), file=answer_to, flush=True)
        _logger.info("started url=%s functions=%d", application.url, len(application.functions))
        watching = asyncio.create_task(application.watch())
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({watching, stopping}, return_when=asyncio.FIRST_COMPLETED)
        _end_for_certain()
        if watching.done():
            watching.result()
        watching.cancel()


def _stop_event(*, until_stdin_closes: bool) -> asyncio.Event:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    if until_stdin_closes:

        def wait_for_end() -> None:
            # Straight from the descriptor: a thread inside sys.stdin would hold its lock at exit.
            while os.read(0, 4096):
                continue
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(stop.set)

        threading.Thread(target=wait_for_end, daemon=True).start()
    return stop


def _end_for_certain() -> None:
    timer = threading.Timer(_LAST_RESORT_SECONDS, os._exit, (0,))
    timer.daemon = True
    timer.start()


def _log_to_stderr() -> None:
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
    )
    # Request lines of the SDKs would drown what the functions say.
    logging.getLogger("azure").setLevel(logging.WARNING)


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local host", description=main.__doc__)
    parser.add_argument(
        "--app", type=Path, default=Path(), help="folder with function_app.py and host.json (default: .)"
    )
    parser.add_argument("--port", type=int, default=0, help="on 127.0.0.1 (default: any free one)")
    parser.add_argument("--until-stdin-closes", action="store_true", help="end with the parent process")
    parser.add_argument("--print-keys", action="store_true", help="show the access keys in the ready line")
    parser.add_argument(
        "--queue-lease-seconds",
        type=int,
        default=LEASE_SECONDS,
        help="how long a queue message is hidden between renewals (default: %(default)s)",
    )
    return parser.parse_args(arguments)
