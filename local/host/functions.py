"""What the host knows about a function: its bindings, checked and with the app settings filled in."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

_SETTING = re.compile(r"%([^%]+)%")
_TRIGGERS = frozenset({"httpTrigger", "queueTrigger", "timerTrigger", "eventGridTrigger"})

# Fields of a binding that name something in the code, not in Azure, and are therefore never expanded.
_LITERAL_FIELDS = frozenset({"name", "type", "direction", "connection"})

type Binding = Mapping[str, Any]


class StartError(RuntimeError):
    """The app cannot be started as it is; the message is for its developer."""


class AppRejectedError(StartError):
    """The official worker library refuses the app; the message is the library's own."""


@dataclass(frozen=True, slots=True)
class FunctionDescription:
    """One function of the app.

    Attributes:
        name: unique in the app.
        bindings: as the app declares them, in the form of a function.json, `%NAME%` not yet replaced.
            The trigger is among them.
        function_id: by which the worker library knows it.
        retries: whether it declares a retry policy.
    """

    name: str
    bindings: tuple[Binding, ...]
    function_id: str
    retries: bool = False

    @property
    def trigger(self) -> Binding:
        """The one binding that starts the function."""
        return next(binding for binding in self.bindings if str(binding["type"]).endswith("Trigger"))

    @property
    def trigger_type(self) -> str:
        """`httpTrigger`, `queueTrigger`, `timerTrigger`, `eventGridTrigger` or what else Azure has."""
        return str(self.trigger["type"])

    @property
    def route(self) -> str | None:
        """The route of an HTTP function, without the prefix; None for others."""
        return str(self.trigger.get("route", self.name)) if self.trigger_type == "httpTrigger" else None

    @property
    def methods(self) -> tuple[str, ...]:
        """The methods that an HTTP function serves, upper case; empty means all."""
        return tuple(str(method).upper() for method in self.trigger.get("methods") or ())

    @property
    def auth_level(self) -> str | None:
        """`anonymous`, `function` or `admin` for an HTTP function (default `function`); None for others."""
        if self.trigger_type != "httpTrigger":
            return None
        return str(self.trigger.get("authLevel", "function")).lower()


def prepare(function: FunctionDescription, settings: Mapping[str, str]) -> FunctionDescription:
    """Check that this host can serve the function and put app settings in the place of `%NAME%`.

    Raises:
        StartError: a kind of binding or a policy that this host does not have, or a missing setting.
    """
    if function.trigger_type not in _TRIGGERS:
        raise StartError(f"function {function.name}: this host has no {function.trigger_type}")
    if function.retries:
        raise StartError(f"function {function.name}: this host has no retry policies")
    for binding in function.bindings:
        if binding is not function.trigger and (binding["type"], binding["name"]) != ("http", "$return"):
            raise StartError(f"function {function.name}: this host has no binding {binding['type']}")
    resolved = tuple(_resolve(function.name, binding, settings) for binding in function.bindings)
    return replace(function, bindings=resolved)


def connection_string(function: FunctionDescription, settings: Mapping[str, str]) -> str:
    """The storage connection that the trigger names, looked up as the cloud does: prefixed name first.

    Raises:
        StartError: no such setting.
    """
    name = str(function.trigger.get("connection") or "Storage")
    for candidate in (f"AzureWebJobs{name}", name):
        if value := settings.get(candidate):
            return value
    raise StartError(f"function {function.name}: no connection string in the setting {name!r}")


def to_json(functions: Sequence[FunctionDescription]) -> list[dict[str, Any]]:
    """The descriptions as plain JSON values."""
    return [
        {
            "name": function.name,
            "bindings": [dict(binding) for binding in function.bindings],
            "function_id": function.function_id,
            "retries": function.retries,
        }
        for function in functions
    ]


def from_json(items: Sequence[Mapping[str, Any]]) -> list[FunctionDescription]:
    """The reverse of `to_json`."""
    return [
        FunctionDescription(
            name=item["name"],
            bindings=tuple(item["bindings"]),
            function_id=item["function_id"],
            retries=item["retries"],
        )
        for item in items
    ]


def _resolve(function: str, binding: Binding, settings: Mapping[str, str]) -> Binding:
    def expand(key: str, value: Any) -> Any:  # noqa: ANN401 - a value of a function.json
        if key in _LITERAL_FIELDS or not isinstance(value, str):
            return value

        def look_up(match: re.Match[str]) -> str:
            setting = settings.get(match[1])
            if setting is None:
                raise StartError(
                    f"function {function}: '%{match[1]}%' in {key!r} does not resolve: no such setting"
                )
            return setting

        return _SETTING.sub(look_up, value)

    return {key: expand(key, value) for key, value in binding.items()}
