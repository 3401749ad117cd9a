"""Modules and functions stay readable, and some ways of writing are not ours."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

_ROOT = Path(__file__).resolve().parents[2]
_MOST_LINES = 400
_MOST_TRIGGER_LINES = 30
_EVERYTHING = {"BaseException", "Exception"}
_OURS = ("shared", "functions", "local", "benchmarks", "tests")


def _modules(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (_ROOT / folder).rglob("*.py"))


def _kernel() -> list[Path]:
    return sorted((_ROOT / "kernel").glob("*.zig"))


def _named(path: Path) -> str:
    return str(path.relative_to(_ROOT))


def _nodes(path: Path) -> Iterator[ast.AST]:
    yield from ast.walk(ast.parse(path.read_text(encoding="utf-8")))


def _dotted(node: ast.AST) -> str:
    """The dotted name of an expression, as far as it is one."""
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def _raises_again(handler: ast.ExceptHandler) -> bool:
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


def _calls(path: Path) -> set[str]:
    return {_dotted(node.func) for node in _nodes(path) if isinstance(node, ast.Call)}


def _imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in _nodes(path):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


@pytest.mark.parametrize("path", [*_modules(*_OURS), *_kernel()], ids=_named)
def test_a_module_fits_in_a_head(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= _MOST_LINES


@pytest.mark.parametrize("path", _modules("functions"), ids=_named)
def test_a_trigger_parses_calls_one_thing_and_returns(path: Path) -> None:
    functions = [node for node in _nodes(path) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    long = [node.name for node in functions if (node.end_lineno or 0) - node.lineno + 1 > _MOST_TRIGGER_LINES]
    assert not long


@pytest.mark.parametrize("path", _modules("tests"), ids=_named)
def test_tests_meet_the_real_thing(path: Path) -> None:
    assert not {name for name in _imported(path) if name.startswith(("unittest.mock", "mock", "pytest_mock"))}
    assert not {name for name in _calls(path) if name.endswith("patch.setattr")}


@pytest.mark.parametrize("path", _modules("shared", "functions"), ids=_named)
def test_the_worker_never_waits_and_never_prints(path: Path) -> None:
    assert not _calls(path) & {"time.sleep", "asyncio.sleep", "sleep", "print"}


@pytest.mark.parametrize("path", _modules("shared", "functions"), ids=_named)
def test_nothing_swallows_whatever_goes_wrong(path: Path) -> None:
    handlers = [node for node in _nodes(path) if isinstance(node, ast.ExceptHandler)]
    greedy = [node for node in handlers if _dotted(node.type or ast.Name("BaseException")) in _EVERYTHING]
    assert all(_raises_again(node) for node in greedy)


@pytest.mark.parametrize("path", [*_modules("shared", "functions"), *_kernel()], ids=_named)
def test_nothing_is_left_for_later(path: Path) -> None:
    words = [
        line for line in path.read_text(encoding="utf-8").splitlines() if "TODO" in line or "FIXME" in line
    ]
    assert not words


@pytest.mark.parametrize("path", _modules("tests"), ids=_named)
def test_tests_do_not_wait_by_sleeping_in_a_thread(path: Path) -> None:
    assert "time.sleep" not in _calls(path)
