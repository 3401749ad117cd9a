"""What a registration request must hold. Every wrong field is named, not only the first."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from shared.model.ids import CUSTOMER_SLUG, REGION, normal_guid, normal_region, parse_resource_id

MOST_BYTES: Final = 64 * 1024
_MOST_SUBSCRIPTIONS: Final = 100_000
_WORKSPACE: Final = "microsoft.operationalinsights/workspaces"
_DISPLAY_NAME: Final = re.compile(r"[^\x00-\x1f\x7f\ud800-\udfff]{1,128}")
_MANAGEMENT_GROUP: Final = re.compile(r"[A-Za-z0-9_().-]{1,90}")


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing wrong with one field; an empty field means the body as a whole."""

    field: str
    detail: str


class InvalidRequestError(ValueError):
    """The request cannot be accepted.

    Attributes:
        errors: everything that is wrong with it.
    """

    def __init__(self, errors: list[FieldError]) -> None:
        super().__init__("; ".join(": ".join(filter(None, (each.field, each.detail))) for each in errors))
        self.errors = errors


@dataclass(frozen=True, slots=True)
class Registration:
    """A valid request to register a customer tenant; None where the default holds."""

    customer: str
    tenant_id: str
    display_name: str | None
    home_region: str | None
    management_group_id: str | None
    workspace_resource_id: str | None
    subscription_cap: int | None


def _customer(value: object) -> str:
    if not isinstance(value, str) or not CUSTOMER_SLUG.fullmatch(value):
        raise ValueError("3 to 40 of a-z, 0-9 and hyphen, beginning with a letter, not ending with a hyphen")
    return value


def _guid(value: object) -> str:
    try:
        return normal_guid(value if isinstance(value, str) else "")
    except ValueError:
        raise ValueError("a GUID such as 11111111-2222-3333-4444-555555555555") from None


def _display_name(value: object) -> str:
    if not isinstance(value, str) or not _DISPLAY_NAME.fullmatch(value) or not value.strip():
        raise ValueError("1 to 128 characters, no control characters")
    return value.strip()


def _region(value: object) -> str:
    region = normal_region(value) if isinstance(value, str) else ""
    if not REGION.fullmatch(region):
        raise ValueError("the name of an Azure region, such as westeurope")
    return region


def _management_group(value: object) -> str:
    if not isinstance(value, str) or not _MANAGEMENT_GROUP.fullmatch(value):
        raise ValueError("the name of a management group, 1 to 90 characters")
    return value


def _workspace(value: object) -> str:
    try:
        resource = parse_resource_id(value if isinstance(value, str) else "")
    except ValueError:
        resource = None
    if resource is None or resource.resource_type != _WORKSPACE:
        raise ValueError("the resource ID of a Log Analytics workspace")
    return str(value).strip().rstrip("/")


def _cap(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= _MOST_SUBSCRIPTIONS:
        raise ValueError(f"a whole number from 1 to {_MOST_SUBSCRIPTIONS}")
    return value


_REQUIRED: Final[dict[str, Callable[[object], Any]]] = {"customer": _customer, "tenantId": _guid}
_OPTIONAL: Final[dict[str, Callable[[object], Any]]] = {
    "displayName": _display_name,
    "homeRegion": _region,
    "managementGroupId": _management_group,
    "workspaceResourceId": _workspace,
    "subscriptionCap": _cap,
}


def parse_registration(body: bytes) -> Registration:
    """Read and check a registration request.

    Raises:
        InvalidRequestError: names everything that is wrong.
    """
    fields = _object(body)
    errors: list[FieldError] = []
    values: dict[str, Any] = {}
    for name, check in {**_REQUIRED, **_OPTIONAL}.items():
        if fields.get(name) is None:
            if name in _REQUIRED:
                errors.append(FieldError(name, "is required"))
            continue
        try:
            values[name] = check(fields[name])
        except ValueError as error:
            errors.append(FieldError(name, f"must be {error}"))
    errors += [FieldError(name, "is unknown") for name in fields if name not in _REQUIRED | _OPTIONAL]
    if errors:
        raise InvalidRequestError(errors)
    return Registration(
        customer=values["customer"],
        tenant_id=values["tenantId"],
        display_name=values.get("displayName"),
        home_region=values.get("homeRegion"),
        management_group_id=values.get("managementGroupId"),
        workspace_resource_id=values.get("workspaceResourceId"),
        subscription_cap=values.get("subscriptionCap"),
    )


def _object(body: bytes) -> Mapping[str, object]:
    if len(body) > MOST_BYTES:
        raise InvalidRequestError([FieldError("", f"the body is larger than {MOST_BYTES} bytes")])
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        raise InvalidRequestError([FieldError("", "the body is not JSON")]) from None
    if not isinstance(value, dict):
        raise InvalidRequestError([FieldError("", "the body is not a JSON object")])
    return value
