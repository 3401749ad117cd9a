"""Checking the Bicep files: with what there is, and it is said with what."""

import shutil
import subprocess
from pathlib import Path

from tests.infra.evaluate import INFRA

_TOOLS = ("sh", "find", "sort", "dirname", "cat")
_SOURCES = len(list(INFRA.rglob("*.bicep")))
_PARAMETERS = len(list(INFRA.rglob("*.bicepparam")))


def _tools(folder: Path, **scripts: str) -> str:
    """A PATH with the least there is, and programs of ours."""
    for name in _TOOLS:
        found = shutil.which(name)
        assert found is not None
        (folder / name).symlink_to(found)
    for name, script in scripts.items():
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)
    return str(folder)


def _lint(path: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": path, **variables}
    command = ["/bin/sh", str(INFRA / "lint.sh"), "sh"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603


def test_a_compiler_builds_and_lints_every_file(tmp_path: Path) -> None:
    log = tmp_path / "log"
    path = _tools(tmp_path, bicep='echo "$@" >> "$LOG"; echo "Bicep 1.2.3"')
    done = _lint(path, LOG=str(log), LIGHTKEEPER_BICEP_LINT="never")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Bicep: compiled with Bicep 1.2.3\n")
    calls = [line.split()[0] for line in log.read_text().splitlines()]
    assert {name: calls.count(name) for name in ("build", "lint", "build-params")} == {
        "build": _SOURCES,
        "lint": _SOURCES,
        "build-params": _PARAMETERS,
    }


def test_the_compiler_of_the_command_line_will_do(tmp_path: Path) -> None:
    done = _lint(_tools(tmp_path, az='[ "$2" != version ] || echo "Bicep CLI 1.2.3"'))
    assert (done.returncode, done.stdout) == (0, "Bicep: compiled with Bicep CLI 1.2.3\n")


def test_what_does_not_compile_is_an_error(tmp_path: Path) -> None:
    path = _tools(tmp_path, bicep='[ "$1" = --version ] || [ "$2" != infra/main.bicep ]')
    assert _lint(path).returncode != 0


def test_without_a_compiler_the_named_linter_is_used(tmp_path: Path) -> None:
    linter = tmp_path / "linter"
    linter.write_text('echo "linted $1"; exit 3\n')
    done = _lint(_tools(tmp_path), LIGHTKEEPER_BICEP_LINT=str(linter))
    assert (done.returncode, done.stdout) == (3, f"Bicep: linted with {linter}, not compiled\nlinted infra\n")


def test_without_either_that_is_said(tmp_path: Path) -> None:
    done = _lint(_tools(tmp_path))
    assert done.returncode == 0
    assert done.stdout.startswith("Bicep: not checked")
