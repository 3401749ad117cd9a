"""Bicep files as small expression trees, read with tree-sitter-bicep.

The grammar binds a member, a call or an operator that ends a lambda, a choice or an operation to the whole
of it, where Bicep binds it to the last part; `_attach` and `_operate` put that right.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import tree_sitter_bicep
from tree_sitter import Language, Node, Parser

_PARSER = Parser(Language(tree_sitter_bicep.language()))
_ESCAPES = {r"\'": "'", "\\\\": "\\", r"\n": "\n", r"\t": "\t", r"\r": "\r", r"\$": "$"}
_SKIPPED = {"comment", "diagnostic_comment", "decorators", "type"}


@dataclass(frozen=True)
class Literal:
    value: object


@dataclass(frozen=True)
class Text:
    parts: tuple["Expr", ...]


@dataclass(frozen=True)
class Name:
    name: str


@dataclass(frozen=True)
class Member:
    base: "Expr"
    name: str
    nested: bool = False


@dataclass(frozen=True)
class Index:
    base: "Expr"
    key: "Expr"


@dataclass(frozen=True)
class Call:
    function: "Expr"
    arguments: tuple["Expr", ...]


@dataclass(frozen=True)
class Operation:
    operator: str
    operands: tuple["Expr", ...]


@dataclass(frozen=True)
class Choice:
    condition: "Expr"
    yes: "Expr"
    no: "Expr"


@dataclass(frozen=True)
class Function:
    parameters: tuple[str, ...]
    body: "Expr"


@dataclass(frozen=True)
class Group:
    inside: "Expr"


@dataclass(frozen=True)
class Array:
    items: tuple["Expr", ...]


@dataclass(frozen=True)
class Object:
    entries: tuple[tuple["Expr", "Expr"], ...]
    children: tuple["Declaration", ...] = ()


@dataclass(frozen=True)
class Loop:
    variables: tuple[str, ...]
    over: "Expr"
    body: "Expr"


@dataclass(frozen=True)
class Condition:
    test: "Expr"
    body: "Expr"


type Expr = (
    Literal
    | Text
    | Name
    | Member
    | Index
    | Call
    | Operation
    | Choice
    | Function
    | Group
    | Array
    | Object
    | Loop
    | Condition
)


@dataclass(frozen=True)
class Declaration:
    """One statement: `kind` is param, var, assigned, resource, existing, module, output, targetScope or
    using."""

    kind: str
    name: str
    value: Expr | None
    about: str = ""


_KINDS = {
    "parameter_declaration": "param",
    "variable_declaration": "var",
    "resource_declaration": "resource",
    "module_declaration": "module",
    "output_declaration": "output",
}


@cache
def declarations(path: Path) -> tuple[Declaration, ...]:
    """The statements of a file.

    Raises:
        AssertionError: the grammar rejects the file.
    """
    # What the grammar does not know: `!` after a name, and `param x = y` of parameter files.
    source = path.read_text(encoding="utf-8").replace("!.", " .")
    assigned = re.findall(r"(?m)^param (\w+) =", source) if path.suffix == ".bicepparam" else []
    for name in assigned:
        source = source.replace(f"param {name} =", f"var {name} =")
    root = _PARSER.parse(source.encode()).root_node
    assert not root.has_error, f"{path} has a syntax error"
    found = tuple(_statements(root))
    return tuple(replace(each, kind="assigned") if each.name in assigned else each for each in found)


def _statements(root: Node) -> Iterator[Declaration]:
    for node in root.named_children:
        if node.type in _KINDS:
            yield _declaration(node)
        elif node.type == "target_scope_assignment":
            yield Declaration("targetScope", "", _expr(node.named_children[-1]))
        elif node.type == "using_statement":
            yield Declaration("using", "", _expr(node.named_children[-1]))


def _declaration(node: Node) -> Declaration:
    parts = [child for child in node.named_children if child.type not in _SKIPPED]
    kind, name = _KINDS[node.type], _text(parts[0])
    if kind in ("resource", "module"):
        about = _expr(parts[1])
        assert isinstance(about, Literal)
        kind = "existing" if any(child.type == "existing" for child in node.children) else kind
        return Declaration(kind, name, _expr(parts[-1]), str(about.value))
    return Declaration(kind, name, _expr(parts[1]) if len(parts) > 1 else None)


def _expr(node: Node) -> Expr:  # noqa: C901, PLR0911, PLR0912 - one case per kind of node
    parts = [child for child in node.named_children if child.type not in _SKIPPED]
    match node.type:
        case "string":
            return _string(node)
        case "number":
            return Literal(int(_text(node)))
        case "boolean":
            return Literal(_text(node) == "true")
        case "null":
            return Literal(None)
        case "identifier" | "property_identifier":
            return Name(_text(node))
        case "member_expression" | "resource_expression":
            nested = node.type == "resource_expression"
            return _attach(_expr(parts[0]), lambda base: Member(base, _text(parts[1]), nested))
        case "subscript_expression":
            return _attach(_expr(parts[0]), lambda base: Index(base, _expr(parts[1])))
        case "call_expression":
            return _attach(_expr(parts[0]), lambda base: Call(base, _items(parts[1])))
        case "binary_expression":
            operator = next(child.type for child in node.children if not child.is_named)
            return _operate(_expr(parts[0]), lambda left: Operation(operator, (left, _expr(parts[1]))))
        case "unary_expression":
            return Operation(node.children[0].type, (_expr(parts[0]),))
        case "ternary_expression":
            return _operate(_expr(parts[0]), lambda test: Choice(test, _expr(parts[1]), _expr(parts[2])))
        case "lambda_expression":
            names = [_text(each) for each in parts[0].named_children] or [_text(parts[0])]
            return Function(tuple(names), _expr(parts[-1]))
        case "parenthesized_expression":
            return Group(_expr(parts[0]))
        case "array":
            return Array(_items(node))
        case "object":
            return _object(parts)
        case "for_statement":
            variables = [_text(each) for each in parts[0].named_children] or [_text(parts[0])]
            return Loop(tuple(variables), _expr(parts[-2]), _expr(parts[-1]))
        case "if_statement":
            return Condition(_expr(parts[0]), _expr(parts[-1]))
    raise AssertionError(f"an expression of an unknown kind: {node.type} {_text(node)[:60]}")


def _attach(base: Expr, make: Callable[[Expr], Expr]) -> Expr:
    """What follows an expression belongs to its last part."""
    match base:
        case Operation(operator, operands):
            return Operation(operator, (*operands[:-1], _attach(operands[-1], make)))
        case Choice(condition, yes, no):
            return Choice(condition, yes, _attach(no, make))
        case Function(parameters, body):
            return Function(parameters, _attach(body, make))
    return make(base)


def _operate(left: Expr, make: Callable[[Expr], Expr]) -> Expr:
    """An operator after a lambda belongs to its body."""
    return Function(left.parameters, _operate(left.body, make)) if isinstance(left, Function) else make(left)


def _items(node: Node) -> tuple[Expr, ...]:
    """The items of an array or call; the grammar reads `[f(x).a]` as the two items `f` and `(x).a`."""
    items: list[Expr] = []
    end = -1
    for child in node.named_children:
        if child.type in _SKIPPED:
            continue
        if child.start_byte == end:
            items.append(_continued(child, items.pop()))
        else:
            items.append(_expr(child))
        end = child.end_byte
    return tuple(items)


def _continued(node: Node, base: Expr) -> Expr:
    """What follows an item without a gap, put to it."""
    first, *rest = [child for child in node.named_children if child.type not in _SKIPPED] or [node]
    match node.type:
        case "parenthesized_expression":
            return _attach(base, lambda function: Call(function, _items(node)))
        case "member_expression":
            return _attach(_continued(first, base), lambda inside: Member(inside, _text(rest[0])))
        case "subscript_expression":
            return _attach(_continued(first, base), lambda inside: Index(inside, _expr(rest[0])))
    raise AssertionError(f"{_text(node)} cannot follow an item")


def _object(parts: list[Node]) -> Object:
    entries: list[tuple[Expr, Expr]] = []
    children: list[Declaration] = []
    for prop in parts:
        inside = [child for child in prop.named_children if child.type not in _SKIPPED]
        if inside[0].type == "resource_declaration":
            children.append(_declaration(inside[0]))
        else:
            key = _string(inside[0]) if inside[0].type == "string" else Literal(_text(inside[0]))
            entries.append((key, _expr(inside[1])))
    return Object(tuple(entries), tuple(children))


def _string(node: Node) -> Expr:
    """A text; pieces between interpolations are taken from the source, since the grammar cuts some out."""
    source = node.text or b""
    begin, end = node.start_byte + 1, node.end_byte - 1
    parts: list[Expr] = []

    def plain(start: int, stop: int) -> None:
        if text := source[start - node.start_byte : stop - node.start_byte].decode():
            for escape, meant in _ESCAPES.items():
                text = text.replace(escape, meant)
            parts.append(Literal(text))

    for child in node.named_children:
        if child.type == "interpolation":
            plain(begin, child.start_byte)
            parts.append(_expr(child.named_children[0]))
            begin = child.end_byte
    plain(begin, end)
    if all(isinstance(part, Literal) for part in parts):
        return Literal("".join(str(part.value) for part in parts if isinstance(part, Literal)))
    return Text(tuple(parts))


def _text(node: Node) -> str:
    return (node.text or b"").decode()
