"""Reading environment variables: each is checked, and everything that is wrong is told at once."""

import base64
import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from azure.core.utils import parse_connection_string

from shared.model.ids import REGION, normal_guid, normal_region, parse_resource_id
from shared.model.monitored import MONITORED_TYPES

_EMULATOR: Final = "UseDevelopmentStorage=true"


class SettingsError(ValueError):
    """One or more settings are missing or wrong; the message names all of them."""


class Reader:
    """Reads variables and collects what is wrong with them."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._wrong: list[str] = []

    def text(self, name: str, pattern: str, default: str | None = None) -> str:
        """A text of that pattern."""
        value = self._environment.get(name) or default
        if value is None:
            self._wrong.append(f"{name} is not set")
            return ""
        if not re.fullmatch(pattern, value):
            self._wrong.append(f"{name} does not match {pattern}")
        return value

    def number(self, name: str, default: int, least: int, most: int) -> int:
        """A whole number within bounds."""
        value = self._environment.get(name) or str(default)
        if not re.fullmatch("[0-9]{1,18}", value) or not least <= int(value) <= most:
            self._wrong.append(f"{name} is not a whole number from {least} to {most}")
            return default
        return int(value)

    def guid(self, name: str) -> str:
        """A GUID in lower case."""
        try:
            return normal_guid(self._environment.get(name, ""))
        except ValueError:
            self._wrong.append(f"{name} is not set to a GUID")
            return ""

    def guids(self, name: str, default: tuple[str, ...]) -> tuple[str, ...]:
        """GUIDs, separated by commas."""
        texts = [each for each in self._environment.get(name, "").split(",") if each.strip()]
        try:
            return tuple(dict.fromkeys(normal_guid(each) for each in texts)) or default
        except ValueError:
            self._wrong.append(f"{name} is not a list of GUIDs")
            return default

    def guid_if_set(self, name: str) -> str:
        """A GUID, or nothing."""
        return self.guid(name) if self._environment.get(name) else ""

    def region(self, name: str, default: str) -> str:
        """The name of an Azure region."""
        value = normal_region(self._environment.get(name) or default)
        if not REGION.fullmatch(value):
            self._wrong.append(f"{name} is not the name of an Azure region")
        return value

    def resource_id(self, name: str) -> str:
        """An Azure resource ID in lower case."""
        value = self._environment.get(name, "")
        try:
            parse_resource_id(value)
        except ValueError:
            self._wrong.append(f"{name} is not set to a resource ID")
        return value.lower()

    def url(self, name: str, default: str | None = None) -> str:
        """An https URL without a slash at its end."""
        value = (self._environment.get(name) or default or "").rstrip("/")
        if not _is_safe(value):
            self._wrong.append(f"{name} is not set to an https URL")
        return value

    def monitored_types(self, name: str) -> frozenset[str]:
        """Types of resources that can be monitored, separated by commas."""
        names = {each.strip().lower() for each in self._environment.get(name, "").split(",")} - {""}
        unknown = sorted(names - MONITORED_TYPES.keys())
        if unknown:
            self._wrong.append(f"{name} names types that cannot be monitored: {', '.join(unknown)}")
        default = frozenset(each.type for each in MONITORED_TYPES.values() if each.default)
        return frozenset(names) or default

    def connection_string(self, name: str) -> str | None:
        """A connection string of a storage account; None if nothing stands there."""
        value = self._environment.get(name) or None
        if value is not None and value != _EMULATOR and not _opens_storage(value):
            self._wrong.append(f"{name} is not the connection string of a storage account with its key")
        return value

    def finish(self) -> None:
        """End the reading.

        Raises:
            SettingsError: names every variable that is missing or wrong.
        """
        if self._wrong:
            raise SettingsError("; ".join(self._wrong))


def _is_safe(url: str) -> bool:
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return False
    return bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host)))


def _opens_storage(connection_string: str) -> bool:
    try:
        parts = parse_connection_string(connection_string)
        # Links for customers are signed with the key.
        return bool(parts["accountname"]) and bool(base64.b64decode(parts["accountkey"], validate=True))
    except (KeyError, ValueError):
        return False


def is_loopback(host: str | None) -> bool:
    """Whether traffic to the host stays on this machine, so that it needs no TLS."""
    return host in {"127.0.0.1", "localhost", "::1"}
