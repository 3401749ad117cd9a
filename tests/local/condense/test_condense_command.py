"""`python -m local condense` on all kinds of files."""

import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from local.condense.main import main
from shared.capture.entries import CONDENSED
from tests.capture.activity_log import capture_file, envelope, record, text

START, SUCCESS = record("Start"), record("Success", 1)
EXPORT = [START, SUCCESS]
LISTED = [
    {
        "eventTimestamp": f"2024-05-01T10:00:0{second}.1234567Z",
        "operationName": {"value": "Microsoft.KeyVault/vaults/write", "localizedValue": "Write vault"},
        "category": {"value": "Administrative", "localizedValue": "Administrative"},
        "status": {"value": status, "localizedValue": status},
        "subStatus": {"value": sub_status, "localizedValue": "Created (HTTP Status Code: 201)"},
        "resourceId": "/subscriptions/s1/resourceGroups/g/providers/Microsoft.KeyVault/vaults/v",
        "correlationId": "C1",
        "level": "Informational",
        "tenantId": "t",
        "caller": "user@contoso.example",
        "claims": {"ipaddr": "203.0.113.1"},
        "authorization": {"action": "Microsoft.KeyVault/vaults/write"},
        "httpRequest": {"clientIpAddress": "203.0.113.1", "method": "PUT"},
        "properties": {"caller": "other", "statusCode": sub_status},
    }
    for second, status, sub_status in ((0, "Started", ""), (1, "Succeeded", "Created"))
]


def lines(data: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in data.splitlines()]


class Command:
    """Runs the command in this process."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[bytes]) -> None:
        self.folder = folder
        self.status = -1
        self.errors = ""
        self._capsys = capsys

    def file(self, data: bytes, name: str = "file") -> str:
        path = self.folder / name
        path.write_bytes(data)
        return str(path)

    def __call__(self, *arguments: str) -> list[dict[str, Any]]:
        try:
            self.status = main(list(arguments))
        except SystemExit as stopped:
            self.status = stopped.code  # type: ignore[assignment]
        output = self._capsys.readouterr()
        self.errors = output.err.decode()
        return lines(output.out)

    def count(self, name: str) -> int:
        line = next(line for line in self.errors.splitlines() if line.startswith(f"{name}  "))
        return int(line[len(name) :].split()[0].replace(",", ""))


@pytest.fixture
def condense(tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> Command:
    return Command(tmp_path, capsysbinary)


@pytest.mark.parametrize(
    "data",
    [
        capture_file([envelope(*EXPORT)]),
        capture_file([text(START), text(SUCCESS)], codec="deflate"),
        envelope(*EXPORT),
        text(EXPORT),
        text(START) + b"\n" + text(SUCCESS) + b"\n",
        text(START) + b"\r\n\r\n" + text(SUCCESS),
        envelope(START) + b"\n" + envelope(SUCCESS),
        json.dumps({"records": EXPORT}, indent=4).encode(),
        b"\xef\xbb\xbf" + text(EXPORT),
        text(EXPORT).decode().encode("utf-16"),
        gzip.compress(text(EXPORT)),
        gzip.compress(capture_file([envelope(*EXPORT)])),
        gzip.compress(text(START) + b"\n") + gzip.compress(text(SUCCESS) + b"\n"),
        text(LISTED),
        json.dumps(LISTED, indent=2).encode(),
        b"\n".join(map(text, LISTED)),
    ],
)
def test_every_kind_of_file_is_told_by_its_content(condense: Command, data: bytes) -> None:
    made = condense(condense.file(data))
    assert condense.status == 0
    assert [one[CONDENSED]["outcome"] for one in made] == ["success"]
    assert condense.count("operations") == 1
    assert condense.count("condensed") == 2


def test_a_single_object_is_a_record(condense: Command) -> None:
    assert condense(condense.file(text(START)))[0][CONDENSED]["num_correlated_records"] == 1


def test_operations_are_joined_across_files_of_different_kinds(condense: Command) -> None:
    one, other = condense.file(text(START), "a"), condense.file(capture_file([text(SUCCESS)]), "b")
    assert condense(one, other)[0][CONDENSED]["num_correlated_records"] == 2
    assert condense.count("files") == 2


def test_the_same_file_twice_changes_nothing_but_the_duplicates(condense: Command) -> None:
    path = condense.file(text(EXPORT))
    once = condense(path)
    assert condense(path, path) == once
    assert condense.count("duplicates") == 2


def test_what_the_list_command_prints_is_brought_into_export_shape(condense: Command) -> None:
    made = condense(condense.file(text(LISTED)))[0]
    condensed = made.pop(CONDENSED)
    assert made == {
        "time": "2024-05-01T10:00:00.1234567Z",
        "resourceId": "/subscriptions/s1/resourceGroups/g/providers/Microsoft.KeyVault/vaults/v",
        "operationName": "Microsoft.KeyVault/vaults/write",
        "category": "Administrative",
        "resultType": "Start",
        "correlationId": "C1",
        "level": "Informational",
        "tenantId": "t",
        "callerIpAddress": "203.0.113.1",
        "identity": {
            "authorization": {"action": "Microsoft.KeyVault/vaults/write"},
            "claims": {"ipaddr": "203.0.113.1"},
        },
    }
    assert condensed["statuses"]["success"]["resultType"] == "Success"
    assert condensed["statuses"]["success"]["resultSignature"] == "Succeeded.Created"
    assert condensed["statuses"]["success"]["properties"] == {
        "caller": "other",
        "statusCode": "Created",
        "operationName": LISTED[1]["operationName"],
        "subStatus": LISTED[1]["subStatus"],
        "event.caller": "user@contoso.example",
        "httpRequest": {"method": "PUT"},
    }


def test_output_and_what_was_set_aside_go_to_files(condense: Command, tmp_path: Path) -> None:
    out, aside = tmp_path / "out", tmp_path / "aside"
    path = condense.file(text(START) + b"\njunk\n")
    assert condense(path, "--out", str(out), "--aside", str(aside)) == []
    assert condense.status == 3
    assert len(lines(out.read_bytes())) == 1
    assert lines(aside.read_bytes())[0]["position"] == {"line": 2}
    assert f"{path}, line 2: invalid_json" in condense.errors


def test_empty_files_are_fine(condense: Command) -> None:
    files = [
        condense.file(data, str(number)) for number, data in enumerate([b"", b"\n", capture_file([]), b"[]"])
    ]
    assert condense(*files) == []
    assert condense.status == 0


@pytest.mark.parametrize(
    "data",
    [
        b"\x00\xff\x17",
        b"Obj\x01\xff\xff",
        b"\x1f\x8b\x08nonsense",
        gzip.compress(text(EXPORT))[:-9],
        b"[" * 200_000,
        b'{"a":' * 200_000,
        text({"eventTimestamp": [], "operationName": {"value": 5}}) + b"x",
        b"time,level\n2024,Information\n",
    ],
)
def test_what_cannot_be_read_is_set_aside_and_said(condense: Command, data: bytes) -> None:
    assert condense(condense.file(data)) == []
    assert condense.status == 3
    assert condense.count("set aside") == 1


@pytest.mark.parametrize("arguments", [[], ["--out"], ["--wrong", "x"]])
def test_wrong_usage_is_status_two(condense: Command, arguments: list[str]) -> None:
    condense(*arguments)
    assert condense.status == 2
    assert "usage" in condense.errors


def test_unreadable_paths_are_status_two(condense: Command, tmp_path: Path) -> None:
    good = condense.file(text(EXPORT))
    for path in (tmp_path, tmp_path / "missing"):
        assert condense(good, str(path)) == []
        assert condense.status == 2
        assert "Traceback" not in condense.errors
    condense(good, "--out", str(tmp_path))
    assert condense.status == 2


@given(data=st.binary(max_size=200) | st.text(max_size=100).map(str.encode))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_input_makes_the_command_fail(
    tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes], data: bytes
) -> None:
    command = Command(tmp_path, capsysbinary)
    command(command.file(data))
    assert command.status in (0, 3)
    command(command.file(b'{"records":[' + data + b"]}"))
    assert command.status in (0, 3)


def test_a_reader_that_has_seen_enough_is_no_error(tmp_path: Path) -> None:
    path = tmp_path / "many"
    path.write_bytes(
        b"\n".join(text(record(category="Policy", big="x" * 500, number=n)) for n in range(5_000))
    )
    command = [sys.executable, "-m", "local", "condense", str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:  # noqa: S603 - our own
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(10)
        process.stdout.close()
        errors = process.stderr.read().decode()
    assert process.returncode == 0
    assert "Traceback" not in errors
    assert "Error" not in errors
