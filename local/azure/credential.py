"""A credential for the SDK's clients that needs no identity endpoint."""

from typing import Any, Self

from azure.core.credentials import AccessToken

from local.azure.app import SimulatedAzure


class AppCredential:
    """Gives the token that a simulated Azure in the same process issues to the app."""

    def __init__(self, azure: SimulatedAzure) -> None:
        self._azure = azure

    async def get_token(self, *_: str, **__: Any) -> AccessToken:  # noqa: ANN401 - the SDK's protocol
        """The token, whatever it is for."""
        token, expires = self._azure.identity.issue(self._azure.world.app)
        return AccessToken(token, int(expires.timestamp()))

    async def close(self) -> None:
        """Nothing is held."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Nothing is held."""
