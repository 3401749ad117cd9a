"""`python -m local condense` as a shell runs it: pipes, closed streams, full disks, odd names."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from local.condense.main import main
from tests.capture.activity_log import record, text
from tests.helpers.processes import listen_to_ctrl_c

RECORD = text(record()) + b"\n"


def shell(script: str, *arguments: str | Path) -> subprocess.CompletedProcess[bytes]:
    """Run a line of shell in which `$condense` is the command and `$1` ... are the arguments."""
    environment = {**os.environ, "python": sys.executable}
    line = f'condense() {{ "$python" -m local condense "$@"; }}; {script}'
    made = subprocess.run(  # noqa: S603 - our own
        ["/bin/sh", "-c", line, "sh", *map(str, arguments)],
        env=environment,
        capture_output=True,
        check=False,
    )
    assert b"Traceback" not in made.stderr
    assert b"Exception ignored" not in made.stderr
    return made


@pytest.fixture
def good(tmp_path: Path) -> Path:
    path = tmp_path / "good.json"
    path.write_bytes(RECORD)
    return path


def test_a_closed_standard_output_is_said(good: Path) -> None:
    made = shell('condense "$1" >&-', good)
    assert made.returncode == 2
    assert b"standard output is closed" in made.stderr


def test_a_closed_standard_output_does_no_harm_to_a_file(good: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert shell('condense "$1" --out "$2" >&-', good, out).returncode == 0
    assert len(out.read_bytes().splitlines()) == 1


@pytest.mark.parametrize("where", ["&-", "/dev/full"])
def test_a_summary_that_nobody_can_read_changes_nothing(good: Path, where: str) -> None:
    made = shell(f'condense "$1" 2>{where}', good)
    assert made.returncode == 0
    assert len([json.loads(line) for line in made.stdout.splitlines()]) == 1


@pytest.mark.parametrize("script", ['condense "$1" >/dev/full', 'condense "$1" --out /dev/full'])
def test_a_full_disk_is_status_two(good: Path, script: str) -> None:
    made = shell(script, good)
    assert made.returncode == 2
    assert b"No space left" in made.stderr


def test_files_may_be_pipes(good: Path, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(RECORD.replace(b'"c1"', b'"c2"'),))
    writer.start()
    made = shell('condense /dev/stdin "$2" <"$1"', good, pipe)
    writer.join()
    assert made.returncode == 0
    assert len(made.stdout.splitlines()) == 2


def test_ctrl_c_while_it_reads_is_no_traceback(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    command = [sys.executable, "-m", "local", "condense", str(pipe)]
    with subprocess.Popen(  # noqa: S603 - our own
        command,
        stderr=subprocess.PIPE,
        preexec_fn=listen_to_ctrl_c,  # noqa: PLW1509 - there is no thread that could hold a lock
    ) as process:
        with pipe.open("wb"):  # Waits until it is read.
            process.send_signal(signal.SIGINT)
            assert process.wait() == 130
        assert process.stderr is not None
        assert process.stderr.read() == b""


def test_what_fails_while_it_is_read_is_named() -> None:
    made = shell("condense /proc/self/mem")
    assert made.returncode == 2
    assert b"condense: /proc/self/mem: Input/output error" in made.stderr


def test_what_does_not_fit_into_memory_is_said() -> None:
    made = shell("ulimit -v 1500000; condense /dev/zero")
    assert made.returncode == 2
    assert b"too large for the memory" in made.stderr


def test_names_of_files_may_be_no_text(tmp_path: Path) -> None:
    folder, aside = os.fsencode(tmp_path), tmp_path / "aside"
    path = os.path.join(folder, b"n\xffame")  # noqa: PTH118 - no Path can be made of bytes
    with open(path, "wb") as file:  # noqa: PTH123
        file.write(b"junk")
    made = shell('condense "$1"/n* --aside "$2"', tmp_path, aside)
    assert made.returncode == 3
    assert b"n\\xffame: invalid_json" in made.stderr
    assert json.loads(aside.read_bytes())["source"].endswith("n\\xffame")


@pytest.mark.parametrize("names", [("same", "same"), ("same", "folder/../same")])
def test_one_file_cannot_take_both_outputs(
    good: Path, tmp_path: Path, names: Sequence[str], capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "folder").mkdir()
    out, aside = (str(tmp_path / name) for name in names)
    with pytest.raises(SystemExit) as stopped:
        main([str(good), "--out", out, "--aside", aside])
    assert stopped.value.code == 2
    assert "same file" in capsys.readouterr().err
    assert not (tmp_path / "same").exists()


@pytest.mark.parametrize("option", ["--out", "--aside"])
@pytest.mark.parametrize("name", ["file", "folder/../file", "link", "hard-link"])
def test_a_file_that_is_read_is_not_overwritten(
    good: Path, tmp_path: Path, option: str, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "folder").mkdir()
    file = tmp_path / "file"
    file.write_bytes(b"junk")
    (tmp_path / "link").symlink_to(file)
    (tmp_path / "hard-link").hardlink_to(file)
    with pytest.raises(SystemExit) as stopped:
        main([str(good), str(file), option, str(tmp_path / name)])
    assert stopped.value.code == 2
    assert f"{option} names the file {file}" in capsys.readouterr().err
    assert file.read_bytes() == b"junk"


def test_a_file_that_is_read_through_standard_input_is_not_overwritten(good: Path) -> None:
    data = good.read_bytes()
    made = shell('condense /dev/stdin --out "$1" <"$1"', good)
    assert made.returncode == 2
    assert good.read_bytes() == data


def test_what_comes_from_a_device_may_go_to_it() -> None:
    assert shell("condense /dev/null --out /dev/null").returncode == 0
