"""Storage accounts of one Azurite: a test that needs empty tables and queues takes one for itself."""

from collections.abc import Iterator
from typing import Self

from azure.core.credentials import AccessToken

from local import azurite

_NAMES = [f"account{number:03d}" for number in range(600)]


def azurite_accounts() -> str:
    """The value of AZURITE_ACCOUNTS: the emulator's own account and ours, all with one key.

    learn.microsoft.com/azure/storage/common/storage-use-azurite (custom storage accounts and keys)
    """
    return ";".join(f"{name}:{azurite._KEY}" for name in [azurite._ACCOUNT, *_NAMES])


def unused_accounts(running: azurite.Azurite) -> Iterator[str]:
    """Connection strings of accounts, each given out once."""
    for name in _NAMES:
        yield running.connection_string.replace(azurite._ACCOUNT, name)


class NoToken:
    """A credential for clients that have a connection string and must not ask for a token."""

    async def get_token(self, *_scopes: str, **_options: object) -> AccessToken:
        raise AssertionError("a connection string needs no token")

    async def close(self) -> None:
        """Nothing to let go of."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Nothing to let go of."""
