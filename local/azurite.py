"""Azurite, the storage emulator: blobs, queues and tables on ephemeral ports, in memory."""

import os
import re
import shutil
from pathlib import Path
from typing import Self

from local.process import Child, NotReadyError

ROOT = Path(__file__).resolve().parent.parent
_MAIN = ROOT / "node_modules" / "azurite" / "dist" / "src" / "azurite.js"
_LISTENING = re.compile(r"Azurite (Blob|Queue|Table) service is successfully listening at (http://\S+)")
_ACCOUNT = "devstoreaccount1"
_START_SECONDS = 60.0

# The emulator's published account key: it opens nothing but an emulator
# (learn.microsoft.com/azure/storage/common/storage-use-azurite).
_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


class Azurite:
    """One running Azurite.

    Args:
        logs: folder for what it prints.
    """

    def __init__(self, logs: Path) -> None:
        node = shutil.which("node")
        if node is None:
            raise NotReadyError("node is not on the PATH; Azurite needs Node.js 20 or newer")
        if not _MAIN.exists():
            raise NotReadyError("Azurite is not installed; run: make install")
        command = [node, str(ROOT / "local" / "azurite.js"), "--silent", "--inMemoryPersistence"]
        command += ["--skipApiVersionCheck", "--disableTelemetry"]
        for service in ("blob", "queue", "table"):
            command += [f"--{service}Port", "0"]
        self._child = Child("azurite", command, {**os.environ, "AZURITE_MAIN": str(_MAIN)}, logs)
        try:
            urls = self._wait_for_urls()
        except BaseException:
            self._child.stop()
            raise
        self.blob_url = f"{urls['Blob']}/{_ACCOUNT}"
        self.queue_url = f"{urls['Queue']}/{_ACCOUNT}"
        self.table_url = f"{urls['Table']}/{_ACCOUNT}"

    @property
    def connection_string(self) -> str:
        """What the storage SDKs and the Functions host take."""
        return (
            f"DefaultEndpointsProtocol=http;AccountName={_ACCOUNT};AccountKey={_KEY};"
            f"BlobEndpoint={self.blob_url};QueueEndpoint={self.queue_url};TableEndpoint={self.table_url};"
        )

    @property
    def running(self) -> bool:
        """Whether it is alive."""
        return self._child.running

    def stop(self) -> None:
        """End it; what it held is gone."""
        self._child.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _wait_for_urls(self) -> dict[str, str]:
        urls: dict[str, str] = {}

        def ready(line: str) -> bool | None:
            match = _LISTENING.search(line)
            if match:
                urls[match[1]] = match[2].rstrip("/")
            return True if len(urls) == len(("Blob", "Queue", "Table")) else None

        self._child.wait_until(ready, _START_SECONDS)
        return urls
