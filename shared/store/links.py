"""Links to single blobs that end by themselves, for people who have no key of ours.

The signature is a shared access signature of the one blob, made with a *user delegation key* that the
storage account issues to the app's identity. So there is no secret of ours to be kept or turned over, and
the storage account itself checks the signature and its end. The app reads the blob with the visitor's
signature rather than with its own rights; the account may stay closed to the outside.

learn.microsoft.com/rest/api/storageservices/create-user-delegation-sas
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode

from azure.core.exceptions import ClientAuthenticationError, HttpResponseError, ResourceNotFoundError
from azure.storage.blob import BlobSasPermissions, ContentSettings, generate_blob_sas
from azure.storage.blob.aio import BlobClient

from shared.store.storage import Storage

LINK_LIFE: Final = timedelta(days=6)
"""How long a link is good for; a user delegation key lasts seven days at most."""

_SKEW: Final = timedelta(minutes=15)
"""By how much the storage account's clock may be behind ours."""

_SIGNED: Final = ("sv", "st", "se", "sr", "sp", "spr", "skoid", "sktid", "skt", "ske", "sks", "skv", "sig")
"""The fields of a signature; whatever else a visitor sends is no part of the request."""

_FORBIDDEN: Final = 403
_BAD: Final = 400


class BadLinkError(Exception):
    """The signature is missing, wrong, or has ended, or what it led to is gone."""


class LinkStore:
    """Makes such links, and opens them."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def publish(self, container: str, texts: Mapping[str, str], now: datetime) -> dict[str, str]:
        """Write blobs and sign a link to each.

        Args:
            container: where.
            texts: by blob name.
            now: the present (UTC); the links end `LINK_LIFE` later.

        Returns:
            The query string that opens each blob, by blob name.
        """
        client = await self._storage.container(container)
        settings = ContentSettings(content_type="text/plain; charset=utf-8")
        for name, text in texts.items():
            await client.upload_blob(name, text, overwrite=True, content_settings=settings)
        key = await self._storage.signing_key(now - _SKEW, now + LINK_LIFE)
        return {
            name: generate_blob_sas(
                account_name=str(client.account_name),
                container_name=container,
                blob_name=name,
                permission=BlobSasPermissions(read=True),
                expiry=now + LINK_LIFE,
                **key,
            )
            for name in texts
        }

    async def open(self, container: str, name: str, query: Mapping[str, str]) -> str:
        """Read a blob with the signature of a link.

        Raises:
            BadLinkError: the link does not open it.
        """
        if "sig" not in query:
            raise BadLinkError
        signature = urlencode({field: query[field] for field in _SIGNED if field in query})
        url = (await self._storage.container(container)).get_blob_client(name).url
        options: dict[str, Any] = {"retry_total": 1, "retry_status": 0, "initial_backoff": 0}
        try:
            async with BlobClient.from_blob_url(f"{url}?{signature}", **options) as blob:
                return (await (await blob.download_blob()).readall()).decode()
        except (ClientAuthenticationError, ResourceNotFoundError) as error:
            raise BadLinkError from error
        except HttpResponseError as error:
            if error.status_code in (_BAD, _FORBIDDEN):
                raise BadLinkError from error
            raise
