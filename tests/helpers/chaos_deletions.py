"""Watches what the app deletes in Azure: nothing but what it may."""

import re
from typing import Any

from local.azure.app import SimulatedAzure
from local.azure.transport import InProcess
from tests.helpers.chaos_estate import OLDER_RULE, PROVIDER
from tests.helpers.chaos_wanted import RULE

_OLDER_RULE = re.compile(rf"(?P<workspace>/subscriptions/.*)/dataexports/{OLDER_RULE.lower()}")
_HUB = re.compile(
    f"/subscriptions/{PROVIDER.subscription_id}/.*/providers/microsoft.eventhub/namespaces/[^/]+/eventhubs/[^/]+"
)


class Deletions(InProcess):
    """Notes deletions that must not be.

    Attributes:
        leaving: IDs of subscriptions of customers who are offboarded.
        wrong: what was deleted, or was to be, and must not.
    """

    def __init__(self, azure: SimulatedAzure) -> None:
        super().__init__(azure)
        self._world = azure.world
        self.leaving: set[str] = set()
        self.wrong: list[str] = []

    async def send(self, request: Any, **options: Any) -> Any:  # noqa: ANN401 - as the SDK has it
        """Look, and hand over."""
        path = str(request.url).partition("?")[0].removeprefix("https://management.azure.com").lower()
        if request.method == "DELETE" and not self._may_go(path):
            self.wrong.append(f"deleted: {path}")
        return await super().send(request, **options)

    def _may_go(self, path: str) -> bool:
        if path.split("/")[2] in self.leaving or _HUB.fullmatch(path):
            return True
        older = _OLDER_RULE.fullmatch(path)
        # An older rule goes when ours was read back; somebody may have deleted ours since.
        return older is not None and self._is_replaced(older["workspace"])

    def _is_replaced(self, workspace: str) -> bool:
        return RULE in self._world.exports.get(workspace, {})
