"""What is published with the app: what it needs to run, and nothing else."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from local.azurite import ROOT
from shared.onboarding.offer import FILES

_MADE = (
    ".azure/lightkeeper/.env",
    ".git/config",
    ".mypy_cache/3.13/cache.json",
    ".venv/bin/python",
    "__pycache__/function_app.cpython-313.pyc",
    "build/kernel/kernel.wasm",
    "build/logs/host.log",
    "local.settings.json",
    "node_modules/azurite/package.json",
    "shared/arm/__pycache__/errors.cpython-313.pyc",
)
"""What does not belong to the repository, but lies around on a developer's machine."""

_KERNEL = "shared/capture/kernel.wasm"


def git(*arguments: str, folder: Path, text: str = "") -> list[str]:
    made = subprocess.run(  # noqa: S603 - our own
        ["git", *arguments],  # noqa: S607 - wherever it is
        cwd=folder,
        input=text,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert made.returncode in (0, 1), made.stderr
    return [line for line in made.stdout.split("\0") if line]


def left_out_by_git(paths: Iterable[str], folder: Path) -> set[str]:
    """As the Azure Developer CLI reads the file: like one of git's."""
    git("init", "--quiet", folder=folder)
    (folder / ".gitignore").write_bytes((ROOT / ".funcignore").read_bytes())
    return set(git("check-ignore", "--no-index", "--stdin", "-z", folder=folder, text="\0".join(paths)))


def left_out_by_core_tools(paths: Iterable[str]) -> set[str]:
    """As `func azure functionapp publish` reads it: each line is matched with the start of a path."""
    lines = (ROOT / ".funcignore").read_text(encoding="utf-8").splitlines()
    patterns = [
        re.escape(line.removeprefix("/")).replace(r"\*\*", ".+").replace(r"\*", "[^/]+")
        for line in lines
        if line and not line.startswith("#")
    ]
    return {path for path in paths if any(re.match(pattern, path) for pattern in patterns)}


def test_the_package_holds_what_the_app_needs_however_the_list_is_read(tmp_path: Path) -> None:
    paths = {*git("ls-files", "-z", folder=ROOT), *_MADE}
    needed = {"function_app.py", "host.json", "requirements.txt", "LICENSE"}
    needed |= {path for path in paths if path.startswith(("functions/", "shared/")) and path.endswith(".py")}
    needed |= {f"infra/customer/{name}" for name in FILES} | {_KERNEL}

    assert paths - left_out_by_core_tools(paths) == needed
    # git's own folder is left out by whoever reads the list.
    assert paths - left_out_by_git(paths, tmp_path) - {".git/config"} == needed


def test_the_kernel_goes_compiled_without_its_source_and_its_compiler(tmp_path: Path) -> None:
    paths = set(git("ls-files", "-z", folder=ROOT))
    source = {path for path in paths if path.startswith("kernel/")} | {"requirements-kernel.txt"}

    assert {_KERNEL, "kernel/main.zig", *source} <= paths
    for left_out in (left_out_by_core_tools(paths), left_out_by_git(paths, tmp_path)):
        assert source <= left_out
        assert _KERNEL not in left_out


def imported(path: str) -> Iterator[str]:
    """Dotted names of all that a module imports."""
    for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_every_library_that_the_app_imports_is_installed_with_it() -> None:
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    installed = {re.split("[=;]", line)[0].strip().replace("-", ".") for line in lines if line[:1].isalpha()}
    paths = git("ls-files", "-z", "function_app.py", "functions", "shared", folder=ROOT)
    names = {name for path in paths if path.endswith(".py") for name in imported(path)}
    ours = {"function_app", "functions", "shared", *sys.stdlib_module_names}
    # From Python 3.14 on; before that, a library stands in for it.
    ours |= {"compression"}
    foreign = {name for name in names if name.split(".")[0] not in ours}

    assert foreign
    assert {
        name for name in foreign if not any(f"{name}.".startswith(f"{one}.") for one in installed)
    } == set()
