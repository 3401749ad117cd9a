"""The official worker library (azure-functions-runtime), driven as the cloud's host drives it.

What the library accepts or refuses here, it accepts or refuses in the cloud. It keeps its state in
module variables, so one process can hold one app; `index` therefore works in a process of its own.
"""

import json
import logging
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self

import azure_functions_runtime as library

from local.host import protos
from local.host.functions import AppRejectedError, FunctionDescription, from_json

_ROOT = Path(__file__).resolve().parents[2]
_INDEX_SECONDS = 60

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Answer:
    """How a function ended.

    Attributes:
        value: what it returned.
        error: message and traceback of what it raised.
        abandoned: it did not end by itself: the host stopped. `error` says so, too.
    """

    value: protos.TypedData | None = None
    error: protos.RpcException | None = None
    abandoned: bool = False


class Worker:
    """The app, loaded into this process.

    Attributes:
        functions: what the app consists of, in the order of its code.
    """

    def __init__(self, functions: list[FunctionDescription]) -> None:
        self.functions = functions

    @classmethod
    async def load(cls, app_dir: Path) -> Self:
        """Import and index `function_app.py` in the folder, which becomes the working folder.

        Raises:
            AppRejectedError: the library refuses the app.
        """
        sys.path.insert(0, str(app_dir))
        os.chdir(app_dir)
        library.start_threadpool_executor()
        answer = await library.worker_init_request(
            _request("worker_init_request", capabilities={}, function_app_directory=str(app_dir))
        )
        _check(answer.result)
        metadata = await library.functions_metadata_request(_request("functions_metadata_request"))
        _check(metadata.result)
        if not metadata.function_metadata_results:
            raise AppRejectedError(f"No functions found: {app_dir} needs a function_app.py with functions")
        functions = [_describe(item) for item in metadata.function_metadata_results]
        for function in functions:
            loaded = await library.function_load_request(
                _request("function_load_request", function_id=function.function_id)
            )
            _check(loaded.result)
        return cls(functions)

    async def invoke(
        self,
        function: FunctionDescription,
        invocation_id: str,
        data: protos.TypedData,
        metadata: Mapping[str, protos.TypedData],
    ) -> Answer:
        """Run a function once with the value for its trigger's parameter. What it raises is in the answer."""
        response = await library.invocation_request(
            _request(
                "invocation_request",
                invocation_id=invocation_id,
                function_id=function.function_id,
                input_data=[protos.ParameterBinding(str(function.trigger["name"]), data)],
                trigger_metadata=dict(metadata),
                trace_context=SimpleNamespace(trace_parent="", trace_state="", attributes={}),
                retry_context=SimpleNamespace(retry_count=0, max_retry_count=0, exception=None),
            )
        )
        if response.result.status != protos.StatusResult.Success:
            return Answer(error=response.result.exception)
        return Answer(value=response.return_value)


def index(app_dir: Path, environment: Mapping[str, str] | None = None) -> list[FunctionDescription]:
    """What the official library makes of the app in the folder; safe to call again and for other apps.

    Args:
        app_dir: folder with function_app.py.
        environment: of the process that imports the app; default this one's.

    Raises:
        AppRejectedError: the library refuses the app.
    """
    command = [sys.executable, "-m", "local.host.describe", str(app_dir.resolve())]
    done = subprocess.run(  # noqa: S603 - our own program, no shell
        command,
        cwd=_ROOT,
        env=None if environment is None else dict(environment),
        capture_output=True,
        text=True,
        check=False,
        timeout=_INDEX_SECONDS,
    )
    if done.returncode != 0:
        raise AppRejectedError(done.stderr.strip())
    answer = json.loads(done.stdout)
    if "rejected" in answer:
        raise AppRejectedError(answer["rejected"])
    return from_json(answer["functions"])


def _request(kind: str, **fields: Any) -> SimpleNamespace:  # noqa: ANN401 - fields of many messages
    return SimpleNamespace(
        request=SimpleNamespace(**{kind: SimpleNamespace(**fields)}),
        properties={"host": "127.0.0.1", "protos": protos},
    )


def _check(result: protos.StatusResult) -> None:
    if result.status == protos.StatusResult.Success:
        return
    error = result.exception or protos.RpcException("unknown error")
    _logger.error("the app was rejected\n%s", error.stack_trace.rstrip())
    raise AppRejectedError(error.message)


def _describe(item: protos.RpcFunctionMetadata) -> FunctionDescription:
    return FunctionDescription(
        name=item.name,
        bindings=tuple(json.loads(binding) for binding in item.raw_bindings),
        function_id=item.function_id,
        retries=item.retry_options is not None,
    )
