"""`make` finds a Python that is new enough, or has one made."""

import subprocess
import sys
from pathlib import Path

import pytest

from local.azurite import ROOT

_OLD = """#!/bin/sh
[ "$1" = -m ] || exit 1
mkdir -p "$3/bin"
printf '#!/bin/sh\\necho "$@" >>asked\\n{pip}\\n' >"$3/bin/python"
chmod +x "$3/bin/python"
"""
_UV = """#!/bin/sh
echo "$@" >>asked
case "$2" in
install) mkdir -p "$UV_PYTHON_INSTALL_DIR" && ln -s {python} "$UV_PYTHON_INSTALL_DIR/python" ;;
find) ls "${{UV_PYTHON_INSTALL_DIR:-none}}/python" ;;
esac
"""


def tool(folder: Path, name: str, script: str) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(script)
    path.chmod(0o755)
    return path


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A machine without a Python that is new enough: a folder to work in, with its own `bin` and home."""
    tool(tmp_path / "bin", "python3", "#!/bin/sh\nexit 1\n")
    return tmp_path


def find(folder: Path, python: str = "") -> subprocess.CompletedProcess[str]:
    path = f"{folder / 'bin'}:/usr/sbin:/sbin:/tools"
    for name in ("ls", "ln", "mkdir", "chmod", "cp"):
        link = folder / "bin" / name
        if not link.is_symlink():
            link.symlink_to(f"/bin/{name}")
    return subprocess.run(  # noqa: S603 - our own
        ["/bin/sh", str(ROOT / "local" / "find-python.sh")],
        cwd=folder,
        env={"PATH": path, "HOME": str(folder), "PYTHON": python},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def test_the_python_that_is_named_is_taken(bare: Path) -> None:
    made = find(bare, sys.executable)
    assert (made.returncode, made.stdout.strip(), made.stderr) == (0, sys.executable, "")


def test_one_that_exists_and_fails_is_passed_over(bare: Path) -> None:
    tool(bare / "bin", "python3.13", "#!/bin/sh\nexit 127\n")
    (bare / "bin" / "python3.14").symlink_to(sys.executable)
    made = find(bare)
    assert made.returncode == 0
    assert made.stdout.strip() == str(bare / "bin" / "python3.14")


def test_where_there_is_none_uv_makes_one(bare: Path) -> None:
    tool(bare / "bin", "uv", _UV.format(python=sys.executable))
    made = find(bare)
    assert made.returncode == 0
    assert made.stdout.strip() == str(bare / ".python" / "versions" / "python")


def test_where_there_is_no_uv_either_the_old_python_installs_it(bare: Path) -> None:
    uv = tool(bare, "uv", _UV.format(python=sys.executable))
    tool(bare / "bin", "python3", _OLD.replace("{pip}", f"cp {uv} .python/uv/bin/uv"))
    made = find(bare)
    assert made.returncode == 0, made.stderr
    assert made.stdout.strip() == str(bare / ".python" / "versions" / "python")
    assert "install --quiet" in (bare / "asked").read_text()


def test_where_none_can_be_made_it_says_what_to_do(bare: Path) -> None:
    made = find(bare)
    assert made.returncode == 1
    assert made.stdout == ""
    assert "make PYTHON=" in made.stderr
