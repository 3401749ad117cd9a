"""What Azure's refusals mean, told by status, code and message."""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from azure.core.exceptions import (
    ClientAuthenticationError,
    HttpResponseError,
    ServiceRequestError,
    ServiceResponseError,
)
from hypothesis import given
from hypothesis import strategies as st

from shared.arm.errors import (
    ArmConflictError,
    ArmError,
    LinkedNotAuthorizedError,
    NameTakenError,
    NotAuthenticatedError,
    NotAuthorizedError,
    NotDelegatedError,
    NotFoundError,
    ProviderNotRegisteredError,
    ReadOnlyError,
    RefusedError,
    SettingLimitError,
    SinkUsedError,
    ThrottledError,
    TypeNotSupportedError,
    UnavailableError,
)
from shared.arm.refusals import DEFAULT_RETRY_AFTER, arm_errors, classify, retry_seconds
from shared.model.reasons import EXPLANATIONS, Reason

_NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)

_DOCUMENTED: list[tuple[str, int, str, str, type[ArmError]]] = [
    (
        "the limit of five",
        409,
        "Conflict",
        (
            "The limit of 5 diagnostic settings was reached. To create new setting "
            "'Lightkeeper-Logs', delete an existing one."
        ),
        SettingLimitError,
    ),
    (
        "a sink that is used already",
        409,
        "Conflict",
        (
            "Data sink "
            "'/subscriptions/s/resourceGroups/g/providers/Microsoft.EventHub/namespaces/n/rule' "
            "is already used in diagnostic setting 'theirs' for category 'Administrative'. Data "
            "sinks can't be reused in different settings on the same category for the same resource."
        ),
        SinkUsedError,
    ),
    (
        "a provider that is not registered, as Insights says it",
        409,
        "Conflict",
        "The subscription 's' is not registered to use microsoft.insights.",
        ProviderNotRegisteredError,
    ),
    (
        "a provider that is not registered, under a code that says otherwise",
        409,
        "AuthorizationFailed",
        "Please register the subscription 's' with Microsoft.Insights.",
        ProviderNotRegisteredError,
    ),
    (
        "a provider that is not registered, as Resource Manager says it",
        409,
        "MissingSubscriptionRegistration",
        (
            "The subscription is not registered to use namespace 'Microsoft.EventHub'. See "
            "https://aka.ms/rps-not-found for how to register subscriptions."
        ),
        ProviderNotRegisteredError,
    ),
    (
        "a disabled subscription",
        409,
        "ReadOnlyDisabledSubscription",
        (
            "The subscription 's' is disabled and therefore marked as read only. You cannot perform "
            "any write actions on this subscription until it is re-enabled."
        ),
        ReadOnlyError,
    ),
    (
        "any other conflict",
        409,
        "OperationNotAllowed",
        "Another operation is in progress.",
        ArmConflictError,
    ),
    ("a name in use, by its code", 409, "NameInUse", "No.", NameTakenError),
    (
        "a name in use, by its message",
        400,
        "BadRequest",
        "The specified name is not available. For more information visit https://aka.ms/eventhubsarmexceptions.",
        NameTakenError,
    ),
    (
        "a name in use, as a conflict",
        409,
        "Conflict",
        "Namespace lightkeeper-westeurope-1 is already in use.",
        NameTakenError,
    ),
    (
        "a missing role",
        403,
        "AuthorizationFailed",
        (
            "The client 'c' with object id 'o' does not have authorization to perform action "
            "'Microsoft.Insights/diagnosticSettings/write' over scope '/subscriptions/s' or the "
            "scope is invalid."
        ),
        NotAuthorizedError,
    ),
    (
        "a missing role on what a setting points to",
        403,
        "LinkedAuthorizationFailed",
        (
            "The client 'c' with object id 'o' has permission to perform action "
            "'Microsoft.Insights/diagnosticSettings/write' on scope '/subscriptions/s'; however, it "
            "does not have permission to perform action "
            "'Microsoft.EventHub/namespaces/authorizationrules/listkeys/action' on the linked "
            "scope(s) 'x' or the linked scope(s) are invalid."
        ),
        LinkedNotAuthorizedError,
    ),
    (
        "a namespace of a tenant that does not let us in",
        403,
        "LinkedAuthorizationFailed",
        (
            "The client 'c' has permission to perform action 'a' on scope 's'; however the current "
            "tenant 't' is not authorized to access linked subscription 'u'."
        ),
        LinkedNotAuthorizedError,
    ),
    (
        "a policy that forbids it",
        403,
        "RequestDisallowedByPolicy",
        "Resource 'n' was disallowed by policy. Policy identifiers: '[{\"policyAssignment\":{}}]'.",
        RefusedError,
    ),
    ("a bad token", 401, "InvalidAuthenticationToken", "The access token is invalid.", NotAuthenticatedError),
    (
        "an old token",
        401,
        "ExpiredAuthenticationToken",
        "The access token expiry is in the past.",
        NotAuthenticatedError,
    ),
    (
        "a subscription that is no longer delegated",
        401,
        "InvalidAuthenticationTokenTenant",
        "The access token is from the wrong issuer 'https://sts.windows.net/t/'.",
        NotDelegatedError,
    ),
    ("a missing resource", 404, "ResourceNotFound", "The Resource 'r' was not found.", NotFoundError),
    (
        "a missing group",
        404,
        "ResourceGroupNotFound",
        "Resource group 'g' could not be found.",
        NotFoundError,
    ),
    (
        "a missing subscription",
        404,
        "SubscriptionNotFound",
        "The subscription 's' could not be found.",
        NotFoundError,
    ),
    (
        "another region",
        400,
        "BadRequest",
        (
            "Resources should be in the same region. Resource '/subscriptions/s' is in region "
            "'westeurope' and resource 'n' is in region 'eastus'."
        ),
        RefusedError,
    ),
    ("an unknown category", 400, "BadRequest", "Category 'X' is not supported.", RefusedError),
    (
        "a rule of a hub",
        400,
        "BadRequest",
        (
            "Resource type 'microsoft.eventhub/namespaces/eventhubs/authorizationrules' is invalid "
            "for property 'properties.eventHubAuthorizationRuleId'."
        ),
        RefusedError,
    ),
    (
        "a rule without rights",
        400,
        "BadRequest",
        (
            "If a valid EventHub name is not specified in the diagnostic setting, the EventHub "
            "authorization rule requires manage|send|listen access."
        ),
        RefusedError,
    ),
    (
        "a region without Event Hubs",
        400,
        "LocationNotAvailableForResourceType",
        "The provided location 'mars' is not available for resource type 'Microsoft.EventHub/namespaces'.",
        RefusedError,
    ),
    (
        "a type without diagnostic settings",
        400,
        "ResourceTypeNotSupported",
        "The resource type 'microsoft.insights/datacollectionrules' does not support diagnostic settings.",
        TypeNotSupportedError,
    ),
    ("a precondition", 412, "PreconditionFailed", "The ETag does not match.", RefusedError),
    ("too many requests", 429, "SubscriptionRequestsThrottled", "Too many.", ThrottledError),
    ("a server's time-out", 408, "RequestTimeout", "Too slow.", UnavailableError),
    ("a server's error", 500, "InternalServerError", "The server has an error.", UnavailableError),
    ("a gateway's error", 502, "", "Bad Gateway", UnavailableError),
    ("an outage", 503, "ServerTimeout", "The request timed out.", UnavailableError),
]


@pytest.mark.parametrize(
    ("status", "code", "message", "kind"),
    [pytest.param(*each[1:], id=each[0]) for each in _DOCUMENTED],
)
def test_each_documented_refusal_is_told_apart(
    status: int, code: str, message: str, kind: type[ArmError]
) -> None:
    error = classify(status, code, message)
    assert type(error) is kind
    assert (error.status, error.code) == (status, code)
    assert message.split(maxsplit=1)[0] in error.detail


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (SettingLimitError, Reason.SETTING_LIMIT_REACHED),
        (SinkUsedError, Reason.SINK_ALREADY_USED),
        (ProviderNotRegisteredError, Reason.PROVIDER_NOT_REGISTERED),
        (ReadOnlyError, Reason.SUBSCRIPTION_DISABLED),
        (NameTakenError, Reason.NAMESPACE_NAME_TAKEN),
        (NotAuthorizedError, Reason.ROLE_MISSING),
        (NotDelegatedError, Reason.NOT_DELEGATED),
        (LinkedNotAuthorizedError, Reason.LINKED_ROLE_MISSING),
        (ThrottledError, Reason.THROTTLED),
        (UnavailableError, Reason.UNREACHABLE),
        (ArmConflictError, Reason.REFUSED),
        (NotFoundError, Reason.REFUSED),
        (RefusedError, Reason.REFUSED),
    ],
)
def test_each_refusal_has_a_reason_with_a_remedy(kind: type[ArmError], reason: Reason) -> None:
    assert kind.reason is reason
    assert EXPLANATIONS[kind.reason].remedy


@given(st.integers(400, 599), st.text(max_size=50), st.text(max_size=200))
def test_every_answer_means_something(status: int, code: str, message: str) -> None:
    error = classify(status, code, message)
    assert error.reason in Reason
    assert "\n" not in error.detail
    assert len(error.detail) <= 400


@pytest.mark.parametrize("code", ["missingsubscriptionregistration", "MISSINGSUBSCRIPTIONREGISTRATION"])
def test_the_casing_of_a_code_does_not_matter(code: str) -> None:
    assert type(classify(409, code, "?")) is ProviderNotRegisteredError


def test_an_answer_that_cannot_be_told_apart_by_its_message_is_told_by_its_code() -> None:
    assert type(classify(409, "ReadOnlyDisabledSubscription", "")) is ReadOnlyError
    assert type(classify(409, "", "")) is ArmConflictError


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("17", 17.0),
        ("0", 0.0),
        ("1.5", 1.5),
        ("-3", 0.0),
        (None, DEFAULT_RETRY_AFTER),
        ("", DEFAULT_RETRY_AFTER),
        ("soon", DEFAULT_RETRY_AFTER),
        ("nan", DEFAULT_RETRY_AFTER),
        ("inf", DEFAULT_RETRY_AFTER),
        ("1e999", DEFAULT_RETRY_AFTER),
        ("Sat, 21 Nov 2026 12:00:42 GMT", 42.0),
        ("Sat, 21 Nov 2026 13:00:42 +0100", 42.0),
        ("Sat, 21 Nov 2026 12:00:42 -0000", 42.0),
        ("Sat, 21 Nov 2026 11:59:00 GMT", 0.0),
        ("Sat, 99 Nov 2026 11:59:00 GMT", DEFAULT_RETRY_AFTER),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str | None, seconds: float) -> None:
    assert retry_seconds(header, _NOW) == seconds
    throttled = classify(429, "TooManyRequests", "Wait.", header, _NOW)
    assert isinstance(throttled, ThrottledError)
    assert throttled.retry_after == seconds


@given(
    st.text(max_size=60) | st.from_regex(r"\w{3}, \d{1,9} \w{3} \d{1,9} \d{1,3}:\d{1,3}:\d{1,3} [+-]\d{1,9}")
)
def test_any_retry_after_is_a_number_of_seconds(header: str) -> None:
    seconds = retry_seconds(header, _NOW)
    assert 0 <= seconds <= timedelta.max.total_seconds() or seconds > 0
    assert seconds < float("inf")


def test_what_the_sdk_raises_without_an_answer_is_an_outage() -> None:
    for raised in (
        ServiceRequestError("refused"),
        ServiceResponseError("broken"),
        HttpResponseError("no response at all"),
        ClientAuthenticationError("the identity endpoint gave no token"),
    ):
        with pytest.raises(UnavailableError) as caught, arm_errors():
            raise raised
        assert caught.value.__cause__ is raised
        assert caught.value.status == 0


def test_a_body_that_is_no_json_is_an_outage() -> None:
    with pytest.raises(UnavailableError, match="cannot be read"), arm_errors():
        json.loads("<html>")


def test_what_is_not_azures_fault_passes_through() -> None:
    with pytest.raises(KeyError), arm_errors():
        raise KeyError("ours")


def test_the_detail_of_an_error_is_one_short_line() -> None:
    error = classify(400, "BadRequest", "First.\r\n  Second.\t" + "x" * 1000)
    assert error.detail.startswith("400 BadRequest: First. Second. xxx")
    assert len(error.detail) == 400


def test_no_recorded_refusal_is_mistaken_for_a_cause_that_we_know(samples: Path) -> None:
    # None of the recordings is about diagnostic settings, so only these kinds may come out.
    kinds: Counter[type[ArmError]] = Counter()
    for line in (samples / "arm" / "errors.jsonl").read_text().splitlines():
        recorded = json.loads(line)
        body = recorded["response_body"]
        error = body.get("error", body) if isinstance(body, dict) else {}
        found = classify(recorded["status"], str(error.get("code") or ""), str(error.get("message") or body))
        kinds[type(found)] += 1
    assert kinds == {
        NotFoundError: 16,
        TypeNotSupportedError: 1,
        RefusedError: 22,
        ArmConflictError: 6,
        NotAuthorizedError: 1,
        NotAuthenticatedError: 2,
    }
