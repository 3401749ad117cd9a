"""Identifiers: Azure's compare case-insensitively, ours are functions of their inputs."""

import hashlib
import re
from dataclasses import dataclass
from typing import Final

from shared.model.remembered import remembered

CUSTOMER_SLUG = re.compile(r"[a-z][a-z0-9-]{1,38}[a-z0-9]")
"""A customer slug: 3 to 40 characters; it becomes an event hub's name and a blob path."""

REGION = re.compile(r"[a-z][a-z0-9]{2,39}")
"""An Azure region as ARM writes it in `location`: lower case, no spaces."""


@dataclass(frozen=True, slots=True)
class ResourceId:
    """The parts of an ARM resource ID, all in lower case.

    Azure returns IDs with unstable casing, so two IDs are equal when their lower-cased forms are
    (learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules).
    """

    subscription_id: str
    resource_group: str
    resource_type: str
    name: str


_GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_NAME = r"[\w .()-]*[\w()-]"  # no name ends with a period, so none can be a step up the path
_RESOURCE_ID = re.compile(
    rf"/subscriptions/(?P<subscription>{_GUID.pattern})"
    r"/resourcegroups/(?P<group>[\w.()-]{0,89}[\w()-])"
    rf"/providers/(?P<provider>[a-z0-9.]+)/(?P<rest>{_NAME}(?:/{_NAME})+)"
)


def parse_resource_id(text: str) -> ResourceId:
    """Split a resource ID inside a resource group into its parts.

    Raises:
        ValueError: the text is no such ID.
    """
    match = _RESOURCE_ID.fullmatch(text.strip().rstrip("/").lower())
    if match is None:
        raise ValueError("not the ID of a resource in a resource group")
    segments = match["rest"].split("/")
    if len(segments) % 2:
        raise ValueError("a resource ID ends with a name")
    return ResourceId(
        subscription_id=match["subscription"],
        resource_group=match["group"],
        resource_type="/".join([match["provider"], *segments[0::2]]),
        name=segments[-1],
    )


def is_guid(text: str) -> bool:
    """Whether a text is a GUID as we store it."""
    return _GUID.fullmatch(text) is not None


def normal_guid(text: str) -> str:
    """The one spelling of a GUID that we store: lower case with hyphens.

    Raises:
        ValueError: the text is no GUID in its usual 36 characters.
    """
    value = text.strip().lower()
    if not _GUID.fullmatch(value):
        raise ValueError("not a GUID")
    return value


def normal_region(text: str) -> str:
    """A region's name as ARM writes it: `West Europe` becomes `westeurope`."""
    return text.replace(" ", "").lower()


SEPARATOR: Final = "\x1f"
"""Stands between the parts of what is hashed."""

_SEPARATOR_IN_TEXT = b"\xff"  # a byte that no UTF-8 text holds, so that no other parts join to the same


def stable_hash(first: str, *others: str) -> str:
    """32 hexadecimal digits that depend on the parts alone; safe as a table key or blob name."""
    joined = SEPARATOR.join((first, *others))
    if joined.count(SEPARATOR) == len(others):
        encoded = joined.encode("utf-8", "surrogatepass")
    else:
        separator = SEPARATOR.encode()
        parts = (part.encode("utf-8", "surrogatepass") for part in (first, *others))
        encoded = separator.join(part.replace(separator, _SEPARATOR_IN_TEXT) for part in parts)
    return hash_of_joined(encoded)


@remembered(8_192)
def hash_of_text(text: str) -> str:
    """What `stable_hash` gives for one text. That of a short one, as IDs are, is remembered for a while."""
    return stable_hash(text)


def hash_of_joined(parts: bytes) -> str:
    """What `stable_hash` gives for parts that hold no separator, and are joined with it already."""
    return hashlib.sha256(parts).hexdigest()[:32]
