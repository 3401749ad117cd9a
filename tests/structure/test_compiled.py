"""The kernel comes compiled: to run the app takes no compiler, and what was compiled reaches nothing."""

import os
import subprocess
from pathlib import Path

import pytest
import wasmtime

_ROOT = Path(__file__).resolve().parents[2]


def _recipe(target: str) -> str:
    """All that `make` would run for a target where nothing was made yet."""
    # Of a make that runs these tests, this one is no part.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    made = subprocess.run(  # noqa: S603 - our own
        ["make", "--dry-run", "--always-make", target],  # noqa: S607 - wherever it is
        cwd=_ROOT,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    return made.stdout


@pytest.mark.parametrize("target", ["kernel", "lint", "format"])
def test_who_changes_or_checks_the_kernel_gets_its_compiler(target: str) -> None:
    assert "requirements-kernel.txt" in _recipe(target)


@pytest.mark.parametrize("target", ["demo", "run", "test", "soak", "fuzz", "bench", "condense"])
def test_who_runs_the_app_or_its_tests_needs_no_compiler(target: str) -> None:
    recipe = _recipe(target)
    assert "requirements-dev.txt" in recipe
    assert "kernel" not in recipe


def test_the_kernel_can_call_nothing_outside_its_sandbox() -> None:
    engine = wasmtime.Engine()
    kernel = wasmtime.Module.from_file(engine, str(_ROOT / "shared/capture/kernel.wasm"))
    assert kernel.imports == []
    assert "run" in [export.name for export in kernel.exports]
