"""Bodies from a grammar with everything odd in it, read each way, condensed, and rebuilt."""

from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.fuzz.bodies import BODIES
from tests.fuzz.oracles import check_body

_DEEP = 20_000


@settings(derandomize=True, max_examples=300)
@given(BODIES)
@example(b'{"records":[' + b'{"a":' * 300 + b"1" + b"}" * 300 + b"]}")
@example(b'{"records":[' + b"[" * _DEEP + b"]" * _DEEP + b"]}")
@example(b'{"records":[{"a":' + b"[" * _DEEP + b"]" * _DEEP + b"},{}]}")
@example(b'{"records":[{"category":"Write","correlationId":"c","correlationId":"d","a":1,"a":NaN}]}')
def test_every_body_is_read_as_a_plain_parser_reads_it(body: bytes) -> None:
    check_body(body)


@settings(derandomize=True, max_examples=200)
@given(st.binary(max_size=60))
def test_arbitrary_bytes_are_a_body_too(body: bytes) -> None:
    check_body(body)
