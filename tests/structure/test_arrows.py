"""Imports run one way, as the design draws them."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

_ROOT = Path(__file__).resolve().parents[2]

_STEPS = {"sync", "capture", "onboarding", "portal"}
_TOOLS = {"arm", "store", "jobs"}
_MAY_IMPORT: dict[str, set[str]] = {
    "model": {"model"},
    "environment": {"model"},
    "settings": {"model", "environment"},
    "arm": {"arm", "model", "environment"},
    "store": {"store", "model", "settings"},
    "jobs": {"jobs", "arm", "store", "model", "settings"},
    "sync": {"sync", *_TOOLS, "model", "settings"},
    "capture": {"capture", *_TOOLS, "model", "settings"},
    "onboarding": {"onboarding", *_TOOLS, "model", "settings"},
    "portal": {"portal", "onboarding", *_TOOLS, "model", "settings"},
    "services": {*_STEPS, *_TOOLS, "model", "settings"},
}
"""Which parts of `shared` each part of `shared` may import."""

_FUNCTIONS_MAY_IMPORT = {"services", "model", "settings"}


def _modules(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (_ROOT / folder).rglob("*.py"))


def _imports(path: Path) -> Iterator[str]:
    """Dotted names of everything that a module imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _parts(path: Path) -> set[str]:
    """The parts of `shared` that a module imports."""
    names = (name.split(".") for name in _imports(path))
    return {name[1] for name in names if name[0] == "shared" and len(name) > 1}


def _part(path: Path) -> str:
    """The part of `shared` that a module belongs to."""
    return path.relative_to(_ROOT / "shared").parts[0].removesuffix(".py")


def _named(path: Path) -> str:
    return str(path.relative_to(_ROOT))


def test_every_part_of_the_house_is_drawn() -> None:
    parts = {_part(path) for path in _modules("shared")} - {"__init__"}
    assert parts == set(_MAY_IMPORT)


@pytest.mark.parametrize("path", _modules("shared"), ids=_named)
def test_a_part_imports_only_what_stands_below_it(path: Path) -> None:
    part = _part(path)
    allowed = _MAY_IMPORT.get(part, set())
    assert _parts(path) <= allowed, f"{part} may import {sorted(allowed)}"


@pytest.mark.parametrize("path", _modules("functions"), ids=_named)
def test_triggers_import_the_services_and_facts_only(path: Path) -> None:
    assert _parts(path) <= _FUNCTIONS_MAY_IMPORT


def test_the_app_imports_its_blueprints_only() -> None:
    ours = {
        name for name in _imports(_ROOT / "function_app.py") if name.startswith(("shared", "local", "tests"))
    }
    assert not ours


@pytest.mark.parametrize("path", _modules("shared"), ids=_named)
def test_nothing_in_shared_imports_what_stands_above_it(path: Path) -> None:
    above = {"functions", "function_app", "local", "tests", "benchmarks"}
    assert not {name for name in _imports(path) if name.split(".")[0] in above}


@pytest.mark.parametrize("path", _modules("shared/model"), ids=_named)
def test_facts_know_no_azure(path: Path) -> None:
    outside = {"azure", "aiohttp", "msgspec", "fastavro", "isal", "wasmtime"}
    assert not {name for name in _imports(path) if name.split(".")[0] in outside}


def test_one_module_talks_to_the_kernel() -> None:
    modules = _modules("shared", "functions", "local", "benchmarks")
    talking = [_named(path) for path in modules if "wasmtime" in _imports(path)]
    assert talking == ["shared/capture/sandbox.py"]


@pytest.mark.parametrize("path", [_ROOT / "function_app.py", *_modules("shared", "functions")], ids=_named)
def test_the_app_does_not_know_what_a_laptop_has_instead_of_azure(path: Path) -> None:
    words = re.compile(r"simulat|azurite|\blocal[./]|\btests?[./]|stand-in|\bdemo\b", re.IGNORECASE)
    found = [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if words.search(line)]
    assert not found


@pytest.mark.parametrize("path", _modules("local"), ids=_named)
def test_stand_ins_do_not_import_tests(path: Path) -> None:
    assert not {name for name in _imports(path) if name.split(".")[0] in {"tests", "benchmarks"}}
