from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.capture.aside import AsideReason
from shared.capture.entries import entry_again, entry_of, fold
from shared.capture.rawjson import UnreadableError
from shared.capture.times import UNREADABLE
from tests.capture.activity_log import entry, record, text
from tests.capture.odd_records import RECORDS, SPACINGS, USUAL, Spelling


@pytest.mark.parametrize(
    ("spelled", "folded"),
    [
        ("Start", "start"),
        ("Started", "start"),
        ("Started.", "start"),
        ("Accept", "accept"),
        ("Accepted", "accept"),
        ("Success", "success"),
        ("Succeeded.", "success"),
        ("Failure", "failure"),
        ("Failed", "failure"),
        ("Canceled", "cancelled"),
        ("Cancelled", "cancelled"),
        ("Active", "active"),
        ("InProgress", "inprogress"),
        ("", "unknown"),
        (".", "unknown"),
    ],
)
def test_a_status_is_folded(spelled: str, folded: str) -> None:
    assert fold(spelled) == folded


def test_without_a_result_type_the_signature_says_the_status() -> None:
    assert entry(record(resultType=None, resultSignature="Accepted.Created")).status == "accept"
    assert entry(record(resultType=None, resultSignature=None)).status == "unknown"


@pytest.mark.parametrize("category", ["Administrative", "ADMINISTRATIVE", "Write", "Delete", "Action"])
def test_administrative_entries_are_told_by_their_category(category: str) -> None:
    assert entry(record(category=category)).administrative


@pytest.mark.parametrize(
    "category", ["Policy", "Alert", "AuditEvent", "SignInLogs", {"value": "Administrative"}]
)
def test_other_categories_are_not_combined(category: object) -> None:
    assert not entry(record(category=category, properties={"eventCategory": "Administrative"})).administrative


@pytest.mark.parametrize("category", [None, ""])
def test_without_a_category_the_event_category_decides(category: str | None) -> None:
    assert entry(
        record("Active", category=category, properties={"eventCategory": "Administrative"})
    ).administrative
    assert not entry(record(category=category, properties={"eventCategory": "Policy"})).administrative


def test_without_any_category_an_entry_with_an_api_calls_status_is_administrative() -> None:
    assert entry({"resultType": "Accept", "correlationId": "c"}).administrative
    assert not entry({"resultType": "Accept"}).administrative
    assert not entry({"resultType": "0", "correlationId": "c"}).administrative
    assert not entry({"resultType": "Success", "correlationId": "c", "Type": "SigninLogs"}).administrative


def test_a_condensed_record_is_not_condensed_again() -> None:
    assert not entry(record(azure_activity_administrative_condensed={})).administrative


def test_the_key_is_compared_without_regard_to_case() -> None:
    upper, lower = (
        entry(record(correlation="ABC")),
        entry(record(correlation="abc", operationName="microsoft.keyvault/vaults/write")),
    )
    assert upper.key == lower.key


def test_the_text_of_an_entry_stays_as_it_came() -> None:
    raw = b'{ "category":"Policy", "a" : 1.0, "b":1234567890123456789, "c":"\\u00e9\\/", "a2":1e5 }'
    assert entry_of(0, raw).raw == raw


def test_an_entry_of_several_lines_is_brought_into_one() -> None:
    raw = entry_of(0, b'{\n "category": "Policy",\r\n "a": 1.0\n}').raw
    assert raw == b'{"category":"Policy","a":1.0}'


def test_half_a_surrogate_pair_is_no_obstacle() -> None:
    raw = b'{"category":"Write","correlationId":"\\ud800","operationName":"O",\n"resultType":"Start"}'
    found = entry_of(0, raw)
    assert found.administrative
    assert found.key.correlation == "\ud800"
    assert found.raw == raw.replace(b"\n", b" ")


@pytest.mark.parametrize("raw", [b"[1]", b"1", b"null", b'"text"', b"true"])
def test_a_record_that_is_no_object_is_refused(raw: bytes) -> None:
    with pytest.raises(UnreadableError) as caught:
        entry_of(0, raw)
    assert caught.value.reason is AsideReason.NOT_AN_OBJECT


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b'{"a":1', AsideReason.INVALID_JSON),
        (b'{"a":"\x01"}', AsideReason.INVALID_JSON),
        (b'{"a":"\xff"}', AsideReason.INVALID_UTF8),
        (b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", AsideReason.TOO_DEEP),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_reason(raw: bytes, reason: AsideReason) -> None:
    with pytest.raises(UnreadableError) as caught:
        entry_of(0, raw)
    assert caught.value.reason is reason


def test_an_unreadable_time_sorts_last() -> None:
    good, bad = entry(record(second=59)), entry(record(time="2023-06-15:54:46.8676027Z"))
    assert bad.time == UNREADABLE
    assert sorted([bad, good], key=lambda one: one.order) == [good, bad]


@pytest.mark.parametrize(
    "raw",
    [
        b'{"category":"Write","correlationId":"c","a":NaN,"b":-Infinity}',
        b'{"category":"Write","correlationId":"c","a":1,"a":2}',
        b'{"category" : "Write", "correlationId":"c", "a" : 1, "\\u0061" : 2}',
        b'{"category":"Write","correlationId":"c","a":1e999,"b":' + b"9" * 5_000 + b"}",
    ],
)
def test_what_only_strict_readers_refuse_is_read(raw: bytes) -> None:
    found = entry_of(0, raw)
    assert (found.raw, found.administrative, found.key.correlation) == (raw, True, "c")


def test_of_a_field_that_stands_twice_the_last_value_counts() -> None:
    found = entry_of(0, b'{"category":"Policy","category":"Write","correlationId":"a","correlationId":"B"}')
    assert found.administrative
    assert (found.category, found.key.correlation) == ("Write", "b")


def test_fields_of_unexpected_types_count_as_absent() -> None:
    found = entry_of(0, text({"category": "Write", "correlationId": {}, "operationName": [], "time": 5}))
    assert found.administrative
    assert (found.key.correlation, found.key.operation, found.time) == ("", "", UNREADABLE)


@given(RECORDS | USUAL, st.sampled_from(SPACINGS))
def test_what_is_read_quickly_is_what_is_read_exactly(value: dict[str, Any], spell: Spelling) -> None:
    raw = spell(value | {"zz": 0}).encode("utf-8", "replace")
    # What NaN follows has to be read exactly.
    exact = entry_of(7, raw[:-1] + b',"zzz":NaN}')
    assert entry_of(7, raw) == msgspec.structs.replace(exact, raw=raw)


@given(RECORDS | USUAL, st.sampled_from(SPACINGS))
def test_an_entry_that_was_kept_is_read_as_when_it_arrived(value: dict[str, Any], spell: Spelling) -> None:
    arrived = entry_of(7, spell(value).encode("utf-8", "replace") + b"\r\n")
    assert entry_again(7, arrived.raw) == arrived
