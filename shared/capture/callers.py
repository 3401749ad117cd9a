"""Who made the call that an entry tells of.

The claims are those of the caller's token; evidence of the right to call spells the object ID without hyphens
(learn.microsoft.com/azure/azure-monitor/platform/activity-log-schema).
"""

import msgspec


class _Evidence(msgspec.Struct):
    principal_id: str | None = msgspec.field(default=None, name="principalId")


class _Authorization(msgspec.Struct):
    evidence: _Evidence | None = None


class _Claims(msgspec.Struct):
    application_id: str | None = msgspec.field(default=None, name="appid")
    object_id: str | None = msgspec.field(
        default=None, name="http://schemas.microsoft.com/identity/claims/objectidentifier"
    )


class _Identity(msgspec.Struct):
    authorization: _Authorization | None = None
    claims: _Claims | None = None


class _Entry(msgspec.Struct):
    identity: _Identity | None = None


_ENTRIES = msgspec.json.Decoder(_Entry)


def callers_of(raw: bytes) -> frozenset[str]:
    """The object and application IDs of the caller, each `plain`; none if the entry does not tell."""
    try:
        identity = _ENTRIES.decode(raw).identity
    except (msgspec.DecodeError, RecursionError):
        return frozenset()
    if identity is None:
        return frozenset()
    claims = identity.claims or _Claims()
    evidence = (identity.authorization and identity.authorization.evidence) or _Evidence()
    known = (claims.application_id, claims.object_id, evidence.principal_id)
    return frozenset(plain(each) for each in known if each)


def plain(identity: str) -> str:
    """The one spelling of an ID in which we compare: lower case, without hyphens."""
    return identity.replace("-", "").lower()
