"""Who calls Azure in the made-up activity, with the claims of their tokens."""

from dataclasses import dataclass
from random import Random
from typing import Any


@dataclass(frozen=True, slots=True)
class Identity:
    """One token of one caller.

    Attributes:
        address: where they call from.
        claims: of the token, as they stand in a log entry.
        evidence: by which role they may do it.
    """

    address: str
    claims: dict[str, Any]
    evidence: dict[str, str]


def guid(rng: Random) -> str:
    """A random identifier as Azure spells them."""
    text = f"{rng.getrandbits(128):032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def identities(rng: Random, number: int, tenant: str) -> list[Identity]:
    """So many tokens of a third as many callers."""
    people = [guid(rng) for _ in range(max(1, number // 3))]
    return [_identity(rng, rng.choice(people), tenant) for _ in range(number)]


def _identity(rng: Random, person: str, tenant: str) -> Identity:
    issued = 1_793_610_000 + rng.randrange(3_600)
    address = f"203.0.113.{rng.randrange(1, 255)}"
    name = f"user{int(person[:4], 16)}"
    soap = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims"
    microsoft = "http://schemas.microsoft.com/identity/claims"
    claims = {
        "aud": "https://management.core.windows.net/",
        "iss": f"https://sts.windows.net/{tenant}/",
        "iat": str(issued),
        "nbf": str(issued),
        "exp": str(issued + 3_900),
        "http://schemas.microsoft.com/claims/authnclassreference": "1",
        "aio": f"{rng.getrandbits(480):0120x}",
        "http://schemas.microsoft.com/claims/authnmethodsreferences": "pwd,mfa",
        "appid": guid(rng),
        "appidacr": "0",
        f"{soap}/surname": name.upper(),
        f"{soap}/givenname": name.title(),
        "groups": ",".join(guid(rng) for _ in range(rng.randrange(2, 8))),
        "idtyp": "user",
        "ipaddr": address,
        "name": f"{name.title()} {name.upper()}",
        f"{microsoft}/objectidentifier": person,
        "puid": f"{rng.getrandbits(64):016X}",
        f"{microsoft}/scope": "user_impersonation",
        f"{soap}/nameidentifier": f"{rng.getrandbits(172):043x}",
        f"{microsoft}/tenantid": tenant,
        f"{soap}/name": f"{name}@contoso.example",
        f"{soap}/upn": f"{name}@contoso.example",
        "uti": f"{rng.getrandbits(88):022x}",
        "ver": "1.0",
        "wids": guid(rng),
    }
    evidence = {
        "role": rng.choice(("Contributor", "Owner", "User Access Administrator")),
        "roleAssignmentId": guid(rng).replace("-", ""),
        "roleDefinitionId": guid(rng).replace("-", ""),
        "principalId": person.replace("-", ""),
        "principalType": "User",
    }
    return Identity(address, claims, evidence)
