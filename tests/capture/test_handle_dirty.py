"""Dirty capture files through the whole step: what can be read is handed on, the rest set aside."""

import base64
import gzip
import json

import pytest

from shared.model.captures import CaptureState, Counts
from shared.store.blobs import ContainerName
from tests.capture.app import WAIT, App
from tests.fuzz.handmade import MARKER, block, deflated, event, header, raw_block
from tests.fuzz.reading import value_of

GOOD = b'{"time":"2024-05-01T10:00:00Z","category":"Policy"}'


def operation(status: bytes, correlation: bytes = b'"c"', more: bytes = b"") -> bytes:
    return (
        b'{"time":"2024-05-01T10:00:01Z","category":"Administrative","operationName":"O","resourceId":"/R",'
        b'"resultType":"%b","correlationId":%b%b}' % (status, correlation, more)
    )


async def handled(app: App, data: bytes) -> tuple[Counts, list[bytes], list[tuple[str, bytes]]]:
    """The counts, the lines of what is handed on, the reasons and bytes of what is set aside."""
    file = await app.upload(data)
    counts = await app.handle(file)
    ledger = await app.captures.read(app.integration, file.written_at, file.id)
    assert ledger is not None
    assert (ledger.state, ledger.counts) == (CaptureState.DONE, counts)
    counts.check()
    lines = (
        gzip.decompress(await app.blobs.read(ContainerName.CONDENSED, ledger.output))
        if ledger.output
        else b""
    )
    kept = await app.blobs.read(ContainerName.SET_ASIDE, ledger.aside) if ledger.aside else b""
    asides = [json.loads(line) for line in kept.splitlines()]
    return counts, lines.splitlines(), [(one["reason"], base64.b64decode(one["raw"])) for one in asides]


@pytest.mark.parametrize("codec", ["null", "deflate"])
async def test_every_kind_of_dirt_in_one_file_leaves_the_rest_as_it_was(app: App, codec: str) -> None:
    bodies = [
        b'{"records":[17,' + GOOD + b',null,{"a":"\xff"}]}',
        b'{"records":[{"level":1}],"more":2}',
        b'{"\xff":1}',
        b"\xef\xbb\xbf" + b'[{"level":2},{"level":"\\ud800"}]',
        b'{"level":3,"a":NaN}',
        b'{"level":4,"level":5}\n\n{"level":' + b"9" * 5_000 + b"}\nbroken",
        b"[" * 30_000,
        None,
        b"",
        operation(b"Start", more=b',"properties":{"requestbody":"{\\"a\\":1}"}'),
        operation(b"Success", more=b',"properties":{"requestbody":{"a":1}},"a":1,"a":Infinity'),
    ]
    lying = raw_block(event(GOOD), count=1, size=1 << 31)
    cut_off = block([GOOD], codec)[:-20]

    counts, lines, asides = await handled(
        app, header(codec) + block([GOOD], codec) + lying + block(bodies, codec) + cut_off
    )

    assert counts.set_aside == len(asides)
    assert asides == [
        ("broken_block", lying),
        ("not_an_object", b"17"),
        ("not_an_object", b"null"),
        ("invalid_utf8", b'{"a":"\xff"}'),
        ("unknown_envelope_field", b"2"),
        ("invalid_utf8", b'{"\xff":1}'),
        ("invalid_json", b"broken"),
        ("too_deep", b"[" * 30_000),
        ("null_body", b""),
        ("empty_body", b""),
        ("broken_block", cut_off),
    ]
    assert lines[:-1] == [
        GOOD,
        b'{"level":1}',
        b'{"level":2}',
        b'{"level":"\\ud800"}',
        b'{"level":3,"a":NaN}',
        b'{"level":4,"level":5}',
        b'{"level":' + b"9" * 5_000 + b"}",
    ]
    assert b'"requestbody":"{\\"a\\":1}"' in lines[-1]
    assert b'"requestbody":{"a":1}' in lines[-1]
    assert b'"a":1,"a":Infinity' in lines[-1]
    assert (counts.operations, counts.condensed, counts.duplicates) == (1, 2, 1)


ODD_OPERATIONS = {
    "half a pair in the key": operation(b"%b", b'"\\ud800"'),
    "control characters in the key": operation(b"%b", b'"\\u0000\\u001f\\uffff/\\\\#?"'),
    "a long key": operation(b"%b", b'"' + b"k" * 100_000 + b'"'),
    "a number for a key": operation(b"%b", b"-0.0e-999"),
    "a name that is half a pair": operation(b"%b", more=b',"\\ud800":1'),
    "a number that is none": operation(b"%b", more=b',"level":NaN'),
    "a huge number": operation(b"%b", more=b',"level":' + b"9" * 5_000),
    "a field that stands twice": operation(b"%b", more=b',"level":1,"level":2,"time":"2024-05-01T10:00:02Z"'),
    "identity of an odd kind": operation(b"%b", more=b',"identity":{"claims":[]},"properties":"x"'),
    "claims that are no claims": operation(
        b"%b", more=b',"identity":{"claims":{"appid":{"a":NaN}},"claims":1}'
    ),
    "a deep value": operation(b"%b", more=b',"properties":' + b"[" * 9_900 + b"]" * 9_900),
    "the first moment there is": operation(b"%b", more=b',"time":"0001-01-01T00:00:00+23:59"'),
    "the last moment there is": operation(b"%b", more=b',"time":"9999-12-31T24:00:00-99:99"'),
}


@pytest.mark.parametrize("odd", ODD_OPERATIONS.values(), ids=ODD_OPERATIONS)
async def test_an_odd_operation_is_parked_found_again_and_condensed(app: App, odd: bytes) -> None:
    start, end = odd % b"Start", odd % b"Success"

    parked, nothing, _ = await handled(app, header() + block([start]))
    done, lines, asides = await handled(app, header() + block([end, start]))

    assert (parked.parked, nothing, asides) == (1, [], [])
    assert done == Counts(entries=2, condensed=2, duplicates=1, unparked=1, operations=1)
    [record] = lines
    value_of(record)


@pytest.mark.parametrize("odd", ODD_OPERATIONS.values(), ids=ODD_OPERATIONS)
async def test_an_odd_operation_that_never_ends_is_flushed(app: App, odd: bytes) -> None:
    await handled(app, header() + block([odd % b"Start"]))
    app.now += WAIT
    assert await app.flusher.flush() == Counts(condensed=1, unparked=1, operations=1)
    (await app.captures.totals(app.integration)).check()


async def test_odd_entries_that_pass_through_are_counted_and_announced(app: App) -> None:
    odd = [
        b'{"category":"\\ud800","time":"0001-01-01T00:00:00+23:59"}',
        b'{"category":"Policy","time":"9999-12-31T24:00:00-99:99"}',
        b'{"category":{"a":1},"time":[]}',
        b'{"category":"' + b"c" * 100_000 + b'"}',
        b'{"category":NaN,"resourceId":"\\ud800","operationName":"\\u0000"}',
        b"{}",
    ]
    counts, lines, asides = await handled(app, header() + block([b"[" + b",".join(odd) + b"]"]))
    assert (counts, asides) == (Counts(entries=6, passed_through=6), [])
    assert lines == odd
    [message] = await app.messages()
    assert message["categories"] == {"": 3, "(others)": 2, "Policy": 1}


async def test_more_categories_than_a_message_holds_are_counted_together(app: App) -> None:
    odd = [b'{"category":"%b%d"}' % ("\N{GRINNING FACE}".encode() * 90, number) for number in range(2_000)]
    counts, _, _ = await handled(app, header() + block([b"[" + b",".join([GOOD, *odd]) + b"]"]))
    assert counts == Counts(entries=2_001, passed_through=2_001)
    [message] = await app.messages()
    assert message["categories"]["Policy"] == 1
    assert message["categories"]["(others)"] == 2_001 - 100
    assert sum(message["categories"].values()) == 2_001


async def test_a_block_that_claims_its_neighbour_too_loses_no_operation(app: App) -> None:
    data, neighbour = deflated(event(operation(b"Start"))), block([operation(b"Success")], "deflate")
    liar = raw_block(data, count=1, size=len(data + MARKER + neighbour) - len(MARKER))
    counts, _, asides = await handled(app, header("deflate") + liar + neighbour)
    assert counts == Counts(entries=3, condensed=2, operations=1, set_aside=1)
    assert asides == [("broken_block", b"")]
