"""Job messages: small, versioned, and only ours are taken."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.jobs.message import VERSION, MalformedMessageError, decode, encode
from shared.model.jobs import Cause, Job, Phase, Step
from tests.helpers.facts import a_job

_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=80)
_jobs = st.builds(
    Job,
    step=st.sampled_from(Step),
    phase=st.sampled_from(Phase),
    cycle=_text,
    cause=st.sampled_from(Cause),
    integration_id=_text,
    target=_text,
    attempt=st.integers(0, 10_000),
)


@given(_jobs)
def test_a_job_comes_back_from_its_message_as_it_was(job: Job) -> None:
    assert decode(encode(job).encode()) == job


@given(_jobs)
def test_a_message_is_a_small_json_object_with_a_version(job: Job) -> None:
    message = json.loads(encode(job))
    assert message["version"] == VERSION
    assert set(message) == {"version", "kind", "cycle", "reason", "integration", "target", "attempt"}


def test_the_format_of_messages_stays_what_it_is() -> None:
    # Messages outlive a deployment: what the last release wrote, this one must read.
    message = (
        b'{"version":1,"kind":"subscription-settings:target","cycle":"20261121T120000.000000Z",'
        b'"reason":"cycle","integration":"cccccccc-0000-4000-8000-000000000001",'
        b'"target":"00000000-0000-4000-8000-000000000001","attempt":0}'
    )
    assert decode(message) == a_job()
    assert encode(a_job()).encode() == message


def test_what_a_message_leaves_out_is_empty() -> None:
    job = decode(b'{"version":1,"kind":"event-hubs:plan","cycle":"c","reason":"onboarding"}')
    assert job == Job(Step.EVENT_HUBS, Phase.PLAN, "c", Cause.ONBOARDING)


def _message(**changes: Any) -> bytes:  # noqa: ANN401 - any JSON
    message = json.loads(encode(a_job())) | changes
    return json.dumps({name: value for name, value in message.items() if value is not None}).encode()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        pytest.param(b"", "not a job message", id="empty"),
        pytest.param(b"hello", "not a job message", id="no JSON"),
        pytest.param(b"\xff\xfe\x00", "not a job message", id="no text"),
        pytest.param(b"null", "not a job message", id="null"),
        pytest.param(b"[]", "not a job message", id="an array"),
        pytest.param(b"{}", "not a job message", id="an empty object"),
        pytest.param(_message()[:-1], "not a job message", id="cut short"),
        pytest.param(_message() + b"{}", "not a job message", id="two objects"),
        pytest.param(_message(version=2), "unknown version", id="a newer version"),
        pytest.param(_message(version=2, news=1), "unknown version 2", id="a newer version with news"),
        pytest.param(_message(version="1"), "not a job message", id="a version in text"),
        pytest.param(_message(version=None), "not a job message", id="no version"),
        pytest.param(_message(kind="policies:plan"), "unknown kind", id="an unknown step"),
        pytest.param(_message(kind="event-hubs:dance"), "unknown kind", id="an unknown phase"),
        pytest.param(_message(kind="event-hubs"), "unknown kind", id="no phase"),
        pytest.param(_message(reason="boredom"), "unknown kind or reason", id="an unknown reason"),
        pytest.param(_message(attempt="3"), "not a job message", id="an attempt in text"),
        pytest.param(_message(attempt=-1), "not a job message", id="a negative attempt"),
        pytest.param(_message(attempt=1.5), "not a job message", id="half an attempt"),
        pytest.param(_message(surprise=1), "not a job message", id="a field too much"),
        pytest.param(b"[" * 100_000, "not a job message", id="deeply nested"),
        pytest.param(b'{"version":' * 50_000, "not a job message", id="deeply nested objects"),
    ],
)
def test_what_is_no_job_of_ours_is_refused_with_the_reason(text: bytes, why: str) -> None:
    with pytest.raises(MalformedMessageError, match=why):
        decode(text)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(text: bytes) -> None:
    with pytest.raises(MalformedMessageError):
        decode(text)


@given(
    st.dictionaries(
        st.sampled_from(["version", "kind", "cycle", "reason", "attempt", "target"]),
        st.none() | st.integers() | _text,
    )
)
def test_any_object_is_read_or_refused(message: dict[str, Any]) -> None:
    with suppress(MalformedMessageError):
        assert isinstance(decode(json.dumps(message).encode()), Job)


def test_a_refusal_quotes_nothing_of_the_message() -> None:
    for text in (
        b'{"hunter2":1}',
        b'{"version":1,"kind":"hunter2","cycle":"","reason":"hunter2"}',
        b"hunter2",
    ):
        with pytest.raises(MalformedMessageError) as raised:
            decode(text)
        assert "hunter2" not in str(raised.value)
