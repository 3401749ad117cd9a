"""The messages that the official worker library exchanges with its host, as plain classes.

In the cloud these are protobuf messages (FunctionRpc.proto of azure-functions-language-worker-protobuf);
the library is handed the module that defines them. This module is that hand-over: it holds exactly the
names and constants that azure_functions_runtime 1.3.0 uses.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from types import SimpleNamespace
from typing import ClassVar


class TypedData:
    """At most one value, named by its kind: http, string, bytes, json, int or double.

    Raises:
        TypeError: more than one value was given.
    """

    __slots__ = ("kind", "value")

    def __init__(self, **one: object) -> None:
        if len(one) > 1:
            raise TypeError(f"one value only, got {sorted(one)}")
        self.kind: str | None = None
        self.value: object = None
        for kind, value in one.items():
            self.kind, self.value = kind, value

    def WhichOneof(self, _group: str) -> str | None:  # noqa: N802 - protobuf's name
        """The kind of the value, None if there is none."""
        return self.kind

    def __getattr__(self, name: str) -> object:
        if name == self.kind:
            return self.value
        raise AttributeError(name)


@dataclass(frozen=True, slots=True)
class ParameterBinding:
    """The value of one parameter of a function."""

    name: str
    data: TypedData

    def WhichOneof(self, _group: str) -> str:  # noqa: N802 - protobuf's name
        """Always `data`: values are never passed through shared memory here."""
        return "data"


@dataclass(frozen=True, slots=True)
class RpcHttp:
    """One HTTP request or response."""

    method: str = ""
    url: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    status_code: str = ""
    body: TypedData = field(default_factory=TypedData)
    cookies: "list[RpcHttpCookie] | None" = None
    enable_content_negotiation: bool = False


@dataclass(frozen=True, slots=True)
class NullableString:
    """A text that may be absent."""

    value: str


@dataclass(frozen=True, slots=True)
class NullableBool:
    """A truth value that may be absent."""

    value: bool


@dataclass(frozen=True, slots=True)
class NullableDouble:
    """A number that may be absent."""

    value: float


@dataclass(frozen=True, slots=True)
class Timestamp:
    """Seconds since 1970, UTC."""

    seconds: int


@dataclass(frozen=True, slots=True)
class NullableTimestamp:
    """A moment that may be absent."""

    value: Timestamp


@dataclass(frozen=True, slots=True)
class RpcHttpCookie:
    """One cookie of a response."""

    SameSite: ClassVar = SimpleNamespace(**{"None": 0, "Lax": 1, "Strict": 2, "ExplicitNone": 3})

    name: str
    value: str
    domain: NullableString | None = None
    path: NullableString | None = None
    expires: NullableTimestamp | None = None
    secure: NullableBool | None = None
    http_only: NullableBool | None = None
    same_site: int = 0
    max_age: NullableDouble | None = None


@dataclass(frozen=True, slots=True)
class BindingInfo:
    """Type and direction of one binding."""

    out: ClassVar[int] = 1
    inout: ClassVar[int] = 2
    undefined: ClassVar[int] = 0

    type: str
    data_type: int | None
    direction: int


@dataclass(frozen=True, slots=True)
class RpcRetryOptions:
    """The retry policy that a function declares."""

    max_retry_count: int
    retry_strategy: str
    delay_interval: timedelta | None = None
    minimum_interval: timedelta | None = None
    maximum_interval: timedelta | None = None


@dataclass(frozen=True, slots=True)
class RpcFunctionMetadata:
    """One indexed function; `raw_bindings` are JSON objects as in a function.json."""

    name: str
    function_id: str
    managed_dependency_enabled: bool
    directory: str
    script_file: str
    entry_point: str
    is_proxy: bool
    language: str
    bindings: Mapping[str, BindingInfo]
    raw_bindings: list[str]
    retry_options: RpcRetryOptions | None
    properties: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class RpcException:
    """What a function or its loading raised."""

    message: str
    stack_trace: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class StatusResult:
    """How a request to the worker ended."""

    Failure: ClassVar[int] = 0
    Success: ClassVar[int] = 1

    status: int
    exception: RpcException | None = None


@dataclass(frozen=True, slots=True)
class WorkerMetadata:
    """What the worker is."""

    runtime_name: str
    runtime_version: str
    worker_version: str
    worker_bitness: str
    custom_properties: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class WorkerInitResponse:
    """The answer to the first request, which also indexes the app."""

    capabilities: Mapping[str, str]
    worker_metadata: WorkerMetadata
    result: StatusResult


@dataclass(frozen=True, slots=True)
class FunctionMetadataResponse:
    """The functions of the app; None if there is no function_app.py or no function in it."""

    use_default_metadata_indexing: bool
    function_metadata_results: list[RpcFunctionMetadata] | None
    result: StatusResult


@dataclass(frozen=True, slots=True)
class FunctionLoadResponse:
    """Whether a function was loaded."""

    function_id: str
    result: StatusResult


@dataclass(frozen=True, slots=True)
class InvocationResponse:
    """How one invocation ended and what it gave back."""

    invocation_id: str
    result: StatusResult
    return_value: TypedData | None = None
    output_data: list[ParameterBinding] = field(default_factory=list)
