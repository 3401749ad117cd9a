"""What is published with the app: what it needs to run, and nothing else."""

import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

from local.azurite import ROOT
from shared.onboarding.offer import FILES

_MADE = (
    ".azure/lightkeeper/.env",
    ".git/config",
    ".mypy_cache/3.13/cache.json",
    ".venv/bin/python",
    "__pycache__/function_app.cpython-313.pyc",
    "build/logs/host.log",
    "local.settings.json",
    "node_modules/azurite/package.json",
    "shared/arm/__pycache__/errors.cpython-313.pyc",
)
"""What does not belong to the repository, but lies around on a developer's machine."""


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
    needed |= {f"infra/customer/{name}" for name in FILES}

    assert paths - left_out_by_core_tools(paths) == needed
    # git's own folder is left out by whoever reads the list.
    assert paths - left_out_by_git(paths, tmp_path) - {".git/config"} == needed
