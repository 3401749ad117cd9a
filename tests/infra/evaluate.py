"""What a Bicep file would deploy, as far as that can be known without Azure.

Values that only a deployment tells, as the ID of an identity that is made by it, are `Unknown` and keep
the path by which they were asked for.
"""

import hashlib
import ipaddress
import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.infra.syntax import (
    Array,
    Call,
    Choice,
    Condition,
    Declaration,
    Expr,
    Function,
    Group,
    Index,
    Literal,
    Loop,
    Member,
    Name,
    Object,
    Operation,
    Text,
    declarations,
)

INFRA = Path(__file__).resolve().parents[2] / "infra"
SUBSCRIPTION = "99999999-0000-4000-8000-000000000002"
TENANT = "99999999-0000-4000-8000-000000000001"


@dataclass(frozen=True)
class Unknown:
    """A value that only a deployment tells."""

    path: str

    def __str__(self) -> str:
        return f"<{self.path}>"


@dataclass
class Resource:
    """One resource as it is declared, or referred to.

    Attributes:
        symbol: its name in the file.
        type: without version.
        version: of the API.
        name: with those of its parents.
        scope: ID of what it is deployed to.
        body: as declared.
        existing: whether it is only referred to.
        file: where.
    """

    symbol: str
    type: str
    version: str
    name: str
    scope: str
    body: dict[str, Any]
    existing: bool
    file: Path
    children: dict[str, "Resource"] = field(default_factory=dict)

    @property
    def id(self) -> str:
        if self.type == "Microsoft.Resources/resourceGroups":
            return f"{self.scope}/resourceGroups/{self.name}"
        provider, *types = self.type.split("/")
        pairs = zip(types, self.name.split("/"), strict=True)
        return f"{self.scope}/providers/{provider}/" + "/".join(f"{kind}/{name}" for kind, name in pairs)


@dataclass
class Deployed:
    """A file with its parameters: what it declares, modules included, and what it gives back."""

    resources: list[Resource] = field(default_factory=list)
    outputs: dict[str, Any] = field(default_factory=dict)

    def of(self, kind: str) -> list[Resource]:
        """The resources of a type that are made."""
        return [each for each in self.resources if each.type == kind and not each.existing]


def deploy(path: Path, parameters: Mapping[str, Any] | None = None, scope: str = "") -> Deployed:
    """Everything that a file deploys with these parameters."""
    return _Deployment(path.resolve(), dict(parameters or {}), scope).run()


def parameters_of(path: Path) -> tuple[Path, dict[str, Any]]:
    """The file that a parameter file is for, and the parameters."""
    run = _Deployment(path.resolve(), {}, "")
    using = next(each for each in run.declared if each.kind == "using")
    assert isinstance(using.value, Literal)
    names = [each.name for each in run.declared if each.kind == "assigned"]
    return (path.parent / str(using.value.value)).resolve(), {name: run.named(name) for name in names}


class _Deployment:
    def __init__(self, path: Path, parameters: dict[str, Any], scope: str) -> None:
        self.path = path
        self.declared = declarations(path)
        self.by_name = {each.name: each for each in self.declared if each.name and each.kind != "output"}
        self.given = parameters
        kind = next((_plain(each.value) for each in self.declared if each.kind == "targetScope"), "group")
        self.scope = (
            scope
            or {
                "subscription": f"/subscriptions/{SUBSCRIPTION}",
                "managementGroup": "/providers/Microsoft.Management/managementGroups/customer",
                "group": f"/subscriptions/{SUBSCRIPTION}/resourceGroups/group",
            }[str(kind)]
        )
        self.known: dict[str, Any] = {}
        self.result = Deployed()

    def run(self) -> Deployed:
        wrong = self.given.keys() - {each.name for each in self.declared if each.kind == "param"}
        assert not wrong, f"{self.path} has no parameters {wrong}"
        for each in self.declared:
            if each.kind in ("resource", "existing", "module"):
                self.named(each.name)
        for each in self.declared:
            if each.kind == "output":
                assert each.value is not None
                self.result.outputs[each.name] = self.value(each.value, {})
        return self.result

    def named(self, name: str) -> Any:  # noqa: ANN401 - any value
        """The value of a symbol of this file."""
        if name not in self.known:
            self.known[name] = self._declared(self.by_name[name])
        return self.known[name]

    def _declared(self, each: Declaration) -> Any:  # noqa: ANN401
        if each.kind == "param":
            if each.name in self.given:
                return self.given[each.name]
            assert each.value is not None, f"{self.path} needs {each.name}"
            return self.value(each.value, {})
        assert each.value is not None
        if each.kind in ("var", "assigned"):
            return self.value(each.value, {})
        return self._loop(each, each.value, {}, None)

    def _loop(self, each: Declaration, value: Expr, local: dict[str, Any], parent: Resource | None) -> Any:  # noqa: ANN401
        match value:
            case Loop(variables, over, body):
                return [
                    self._loop(each, body, {**local, **dict(zip(variables, pair, strict=False))}, parent)
                    for pair in ((item, i) for i, item in enumerate(self.value(over, local)))
                ]
            case Condition(test, body):
                if not self.value(test, local):
                    return Unknown(each.name)
                return self._loop(each, body, local, parent)
            case Object():
                make = self._module if each.kind == "module" else self._resource
                return make(each, value, local, parent)
        raise AssertionError(f"{each.name} is no resource")

    def _resource(
        self, each: Declaration, value: Object, local: dict[str, Any], parent: Resource | None
    ) -> Resource:
        kind, _, version = each.about.partition("@")
        body = {key: self.value(inside, local) for key, inside in self._entries(value, local)}
        owner = parent or body.get("parent")
        scope, name = self.scope, str(body["name"])
        if isinstance(owner, Resource):
            kind = kind if kind.startswith("Microsoft.") else f"{owner.type}/{kind}"
            version = version or owner.version
            scope, name = owner.scope, f"{owner.name}/{name}"
        if isinstance(body.get("scope"), Resource):
            scope = body["scope"].id
        made = Resource(each.name, kind, version, name, scope, body, each.kind == "existing", self.path)
        self.result.resources.append(made)
        for child in value.children:
            assert child.value is not None
            made.children[child.name] = self._loop(child, child.value, local, made)
        return made

    def _module(
        self, each: Declaration, value: Object, local: dict[str, Any], _: Resource | None
    ) -> dict[str, Any]:
        body = {key: self.value(inside, local) for key, inside in self._entries(value, local)}
        where = body.get("scope")
        scope = where.id if isinstance(where, Resource) else self.scope
        done = deploy(self.path.parent / each.about, body.get("params"), scope)
        self.result.resources += done.resources
        return {"outputs": done.outputs, "name": body.get("name", each.name)}

    def _entries(self, value: Object, local: dict[str, Any]) -> list[tuple[str, Expr]]:
        return [(str(self.value(key, local)), inside) for key, inside in value.entries]

    def value(self, expr: Expr, local: dict[str, Any]) -> Any:  # noqa: ANN401, C901, PLR0911, PLR0912
        """The value of an expression.

        Args:
            expr: the expression.
            local: variables of loops and lambdas.
        """
        match expr:
            case Literal(value):
                return value
            case Text(parts):
                return "".join(str(self.value(part, local)) for part in parts)
            case Name(name):
                return local[name] if name in local else self.named(name)
            case Member(base, name, nested):
                found = self.value(base, local)
                return found.children[name] if nested else _member(found, name)
            case Index(base, key):
                return self.value(base, local)[self.value(key, local)]
            case Call(Name(name), arguments):
                return self._call(name, arguments, local)
            case Operation(operator, operands):
                return _operate(operator, [lambda e=each: self.value(e, local) for each in operands])
            case Choice(condition, yes, no):
                return self.value(yes if self.value(condition, local) else no, local)
            case Function(parameters, body):
                return lambda *given: self.value(body, {**local, **dict(zip(parameters, given, strict=True))})
            case Group(inside):
                return self.value(inside, local)
            case Loop(variables, over, body):
                pairs = enumerate(self.value(over, local))
                return [
                    self.value(body, {**local, **dict(zip(variables, (item, i), strict=False))})
                    for i, item in pairs
                ]
            case Array(items):
                return [self.value(item, local) for item in items]
            case Object():
                return {key: self.value(inside, local) for key, inside in self._entries(expr, local)}
        raise AssertionError(f"{expr} has no value")

    def _call(self, name: str, arguments: tuple[Expr, ...], local: dict[str, Any]) -> Any:  # noqa: ANN401
        given = [self.value(each, local) for each in arguments]
        match name:
            case "loadJsonContent":
                return json.loads((self.path.parent / given[0]).read_text(encoding="utf-8"))
            case "loadTextContent":
                return (self.path.parent / given[0]).read_text(encoding="utf-8")
            case "resourceGroup" | "managementGroup":
                return {"id": self.scope, "name": self.scope.rpartition("/")[2]}
            case "subscription":
                place = f"/subscriptions/{SUBSCRIPTION}"
                return {"id": place, "subscriptionId": SUBSCRIPTION, "tenantId": TENANT}
        return FUNCTIONS[name](*given)


def _plain(value: Expr | None) -> object:
    return value.value if isinstance(value, Literal) else None


def _member(base: Any, name: str) -> Any:  # noqa: ANN401
    if isinstance(base, Unknown):
        return Unknown(f"{base.path}.{name}")
    if isinstance(base, Resource):
        if name == "id":
            return base.id
        if name == "name":
            return base.name.rpartition("/")[2]
        found = base.body.get(name)
        return _Fields(f"{base.symbol}.{name}", found if isinstance(found, dict) else {})
    if isinstance(base, _Fields):
        return base.fields[name] if name in base.fields else Unknown(f"{base.path}.{name}")
    return base[name]


@dataclass(frozen=True)
class _Fields:
    """A part of a resource's body: what is not declared only a deployment tells."""

    path: str
    fields: dict[str, Any]

    def __str__(self) -> str:
        return f"<{self.path}>"


def _operate(operator: str, operands: list[Callable[[], Any]]) -> Any:  # noqa: ANN401
    first, *rest = operands
    if not rest:
        return not first() if operator == "!" else -first()
    second = rest[0]
    match operator:
        case "&&":
            return first() and second()
        case "||":
            return first() or second()
    return {
        "==": lambda a, b: a == b,
        "!=": lambda a, b: a != b,
        ">": lambda a, b: a > b,
        "<": lambda a, b: a < b,
        "+": lambda a, b: a + b,
        "-": lambda a, b: a - b,
        "*": lambda a, b: a * b,
        "/": lambda a, b: a // b,
    }[operator](first(), second())


def _union(*values: Any) -> Any:  # noqa: ANN401
    if isinstance(values[0], dict):
        return {key: value for each in values for key, value in each.items()}
    distinct: list[Any] = []
    for item in (item for each in values for item in each):
        if item not in distinct:
            distinct.append(item)
    return distinct


def _digest(*values: Any) -> str:  # noqa: ANN401
    return hashlib.sha256("\x1f".join(map(str, values)).encode()).hexdigest()


def _cidr_subnet(network: str, prefix: int, number: int) -> str:
    return str(list(ipaddress.ip_network(network).subnets(new_prefix=prefix))[number])


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "bool": lambda text: str(text).lower() == "true",
    "cidrSubnet": _cidr_subnet,
    "concat": lambda *arrays: [item for array in arrays for item in array],
    "deployment": lambda: {"location": "westeurope", "name": "deployment"},
    "empty": lambda value: not value,
    "environment": lambda: {
        "resourceManager": "https://management.azure.com/",
        "suffixes": {"storage": "core.windows.net"},
    },
    "filter": lambda array, test: [item for item in array if test(item)],
    "flatten": lambda arrays: [item for array in arrays for item in array],
    "format": lambda pattern, *values: pattern.format(*values),
    # Azure computes other digits; what counts is that they depend on the arguments alone.
    "guid": lambda *values: str(uuid.UUID(_digest("guid", *values)[:32])),
    "int": int,
    "items": lambda value: [{"key": key, "value": value[key]} for key in sorted(value)],
    "length": len,
    "map": lambda array, function: [function(item) for item in array],
    "range": lambda start, count: list(range(start, start + count)),
    "readEnvironmentVariable": lambda _, default: default,
    "startsWith": lambda text, begin: text.lower().startswith(begin.lower()),
    "string": json.dumps,
    "subscriptionResourceId": lambda kind, name: (
        f"/subscriptions/{SUBSCRIPTION}/providers/{kind.split('/')[0]}/{kind.split('/')[1]}/{name}"
    ),
    "take": lambda value, count: value[:count],
    "tenantResourceId": lambda kind, name: f"/providers/{kind.split('/')[0]}/{kind.split('/')[1]}/{name}",
    "toLower": str.lower,
    "toObject": lambda array, key, value=lambda item: item: {key(item): value(item) for item in array},
    "uniqueString": lambda *values: _digest("unique", *values)[:13],
    "union": _union,
    "utcNow": lambda pattern: {"yyyy-MM-01": "2026-11-01", "yyyyMMddHHmmss": "20261121120000"}[pattern],
}
"""The built-in functions that are used here."""
