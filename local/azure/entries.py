"""Activity-log entries in the shape in which Azure Monitor exports them to event hubs.

Field by field after real exported records: upper-case operation and resource, seven-digit times,
`durationMs` as number or string, bodies as JSON in strings, and case that varies within one operation.
"""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from local.azure.http import Json
from local.azure.world import Principal, Subscription, World

_CLAIM = "http://schemas.microsoft.com/identity/claims"
_SOAP = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims"
_TYPES = {"Started": "Start", "Accepted": "Accept", "Succeeded": "Success", "Failed": "Failure"}
_RELEASE = "6.2026.44.3+7f0c1f5.release_2026w44"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who caused an entry.

    Attributes:
        principal: the user or application.
        address: IP address.
        role: by which the right was had.
        user: whether it is a person.
    """

    principal: Principal
    address: str
    role: str = "Contributor"
    user: bool = True


@dataclass(frozen=True, slots=True)
class Operation:
    """One API call as the activity log sees it.

    Attributes:
        subscription: where.
        actor: who.
        correlation_id: shared by everything one deployment does.
        action: `Microsoft.KeyVault/vaults/write`.
        resource_id: as the caller spelled it.
        category: of the activity log.
    """

    subscription: Subscription
    actor: Actor
    correlation_id: str
    action: str
    resource_id: str
    category: str = "Administrative"


def stamp(moment: datetime, digits: int) -> str:
    """A time with seven digits after the second, as Azure writes it; `digits` is the seventh."""
    return f"{moment:%Y-%m-%dT%H:%M:%S.%f}{digits}Z"


class EntryWriter:
    """Writes entries; all chance comes from the world's seed.

    Args:
        world: clock, seed and tenants.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.random = world.random

    def entry(
        self,
        operation: Operation,
        at: datetime,
        status: str,
        sub_status: str = "",
        *,
        properties: Json | None = None,
        job: bool = False,
        level: str = "",
    ) -> Json:
        """One entry.

        Args:
            operation: the call it tells of.
            at: when it happened.
            status: Started, Accepted, Succeeded or Failed.
            sub_status: HTTP status by name, as `Created`.
            properties: bodies and messages.
            job: whether it is the later result of a long operation.
            level: by default Error for failures, else Information.
        """
        kept = self.random.random() < 0.8  # noqa: PLR2004 - most spell in upper case, some do not
        duration = self.random.randrange(1, 900) if status in ("Succeeded", "Failed") and not job else 0
        entry: Json = {
            "RoleLocation": self.random.choice(("West Europe", "East US 2")),
            "ReleaseVersion": _RELEASE,
            "time": stamp(at, self.random.randrange(10)),
            "resourceId": operation.resource_id.upper() if kept else operation.resource_id,
            "operationName": operation.action.upper() if kept or not job else operation.action,
            "category": operation.category,
            "resultType": _TYPES.get(status, status),
            "resultSignature": f"{status}.{sub_status}",
            "durationMs": self.random.choice((duration, str(duration))),
            "callerIpAddress": operation.actor.address,
            "correlationId": operation.correlation_id,
            "identity": self._identity(operation, at),
            "level": level or ("Error" if status == "Failed" else self._information()),
            "properties": self._properties(operation, sub_status, properties or {}),
            "tenantId": operation.subscription.tenant_id,
        }
        if job:
            entry["jobId"] = f"ProxyResourceLongOperationJob:{self.world.guid()}"
            entry["jobType"] = "ProxyResourceLongOperationJob"
        return entry

    def event(self, subscription: Subscription, category: str, at: datetime, **fields: object) -> Json:
        """An entry that no call caused: service health, resource health, alerts."""
        return {
            "ReleaseVersion": _RELEASE,
            "RoleLocation": "Global",
            "time": stamp(at, self.random.randrange(10)),
            "category": category,
            "level": "Informational",
            "correlationId": self.world.guid(),
            "tenantId": subscription.tenant_id,
            **fields,
        }

    def _information(self) -> str:
        return self.random.choice(("Information", "Informational"))

    def _properties(self, operation: Operation, sub_status: str, more: Json) -> Json:
        tenant, subscription = operation.subscription.tenant_id, operation.subscription.subscription_id
        named: Json = {}
        if sub_status:
            named = {
                "statusCode": sub_status,
                "serviceRequestId": self.random.choice((None, self.world.guid())),
            }
        return {
            **named,
            **{key: _text(value) for key, value in more.items()},
            "eventCategory": operation.category,
            "entity": operation.resource_id,
            "message": operation.action,
            "hierarchy": f"{tenant}/{subscription}",
        }

    def _identity(self, operation: Operation, at: datetime) -> Json:
        principal, user = operation.actor.principal, operation.actor.user
        scope = f"/subscriptions/{operation.subscription.subscription_id}"
        begun = int((at - timedelta(minutes=7)).timestamp())
        claims = {
            "aud": "https://management.core.windows.net/",
            "iss": f"https://sts.windows.net/{principal.tenant_id}/",
            "iat": str(begun),
            "nbf": str(begun),
            "exp": str(begun + 4500),
            "appid": principal.client_id,
            "appidacr": "0" if user else "2",
            f"{_CLAIM}/objectidentifier": principal.object_id,
            f"{_CLAIM}/tenantid": principal.tenant_id,
            f"{_SOAP}/nameidentifier": principal.object_id,
            "ver": "1.0",
        }
        if user:
            claims |= {
                "ipaddr": operation.actor.address,
                "name": principal.name.partition("@")[0],
                f"{_CLAIM}/scope": "user_impersonation",
                f"{_SOAP}/name": principal.name,
                f"{_SOAP}/upn": principal.name,
            }
        return {
            "authorization": {
                "scope": operation.resource_id,
                "action": operation.action,
                "evidence": {
                    "role": operation.actor.role,
                    "roleAssignmentScope": scope,
                    "principalId": principal.object_id.replace("-", ""),
                    "principalType": "User" if user else "ServicePrincipal",
                },
            },
            "claims": claims,
        }


def _text(value: object) -> object:
    """Bodies are JSON in strings."""
    return json.dumps(value, separators=(",", ":")) if isinstance(value, dict | list) else value
