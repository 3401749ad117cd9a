"""Job messages: small versioned JSON objects."""

from typing import Annotated, Final

import msgspec

from shared.model.jobs import Cause, Job, Phase, Step

VERSION: Final = 1


class MalformedMessageError(ValueError):
    """A message that is no job of ours; the text says why and quotes nothing of it."""


class _Versioned(msgspec.Struct):
    version: int


class _Message(msgspec.Struct, forbid_unknown_fields=True):
    version: int
    kind: str
    cycle: str
    reason: str
    integration: str = ""
    target: str = ""
    attempt: Annotated[int, msgspec.Meta(ge=0)] = 0


def encode(job: Job) -> str:
    """The message of a job."""
    message = _Message(
        version=VERSION,
        kind=f"{job.step.value}:{job.phase.value}",
        cycle=job.cycle,
        reason=job.cause.value,
        integration=job.integration_id,
        target=job.target,
        attempt=job.attempt,
    )
    return msgspec.json.encode(message).decode()


def decode(text: bytes) -> Job:
    """The job of a message.

    Raises:
        MalformedMessageError: it is not JSON, of another version, or of an unknown kind.
    """
    version = _decode(text, _Versioned).version
    if version != VERSION:
        raise MalformedMessageError(f"unknown version {version}")
    message = _decode(text, _Message)
    step, _, phase = message.kind.partition(":")
    try:
        return Job(
            step=Step(step),
            phase=Phase(phase),
            cycle=message.cycle,
            cause=Cause(message.reason),
            integration_id=message.integration,
            target=message.target,
            attempt=message.attempt,
        )
    except ValueError as error:
        raise MalformedMessageError("unknown kind or reason") from error


def _decode[T](text: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(text, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        # Only this message of msgspec quotes what it read: the name of the field.
        why = "a field too much" if "unknown field" in str(error) else str(error)
        raise MalformedMessageError(f"not a job message: {why}") from error
