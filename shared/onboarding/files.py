"""Making the offer: roles are checked, files are filled in and published under links that end."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from azure.core.exceptions import HttpResponseError

from shared.arm.connection import Arm
from shared.arm.errors import ArmError, NotFoundError
from shared.arm.role_definitions import get_role
from shared.model.integration import Integration
from shared.model.role import Role, why_not_delegable
from shared.onboarding.offer import FILES, Offer, filled
from shared.settings import Settings
from shared.store.blobs import ContainerName
from shared.store.links import LINK_LIFE, LinkStore

_FOLDER: Final = Path(__file__).resolve().parents[2] / "infra" / "customer"


class OfferError(Exception):
    """There is nothing that could be offered; the message says why."""


@dataclass(frozen=True, slots=True)
class Published:
    """The files of one integration.

    Attributes:
        queries: the query string that opens each file, by its name.
        ends_at: until when they do (UTC).
    """

    queries: Mapping[str, str]
    ends_at: datetime


class OnboardingFiles:
    """The files that customers are given."""

    def __init__(self, arm: Arm, links: LinkStore, settings: Settings, clock: Callable[[], datetime]) -> None:
        self._arm = arm
        self._links = links
        self._settings = settings
        self._clock = clock

    async def publish(self, integration: Integration) -> Published:
        """Fill in the files for an integration and make links to them.

        Raises:
            OfferError: a role cannot be delegated or looked up, the app does not know who it is, or the
                storage account refuses.
        """
        offer = await self._offer()
        texts = await asyncio.to_thread(_filled_files, offer)
        now = self._clock()
        blobs = {_blob(integration.id, file): text for file, text in texts.items()}
        try:
            queries = await self._links.publish(ContainerName.PUBLISHED, blobs, now)
        except HttpResponseError as error:
            raise OfferError(f"The links could not be made: {error.status_code} {error.reason}") from error
        return Published({file: queries[_blob(integration.id, file)] for file in FILES}, now + LINK_LIFE)

    async def read(self, integration_id: str, file: str, query: Mapping[str, str]) -> str:
        """A file by a link.

        Args:
            integration_id: whose.
            file: one of `FILES`.
            query: of the link.

        Raises:
            BadLinkError: the link is wrong or has ended.
        """
        return await self._links.open(ContainerName.PUBLISHED, _blob(integration_id, file), query)

    async def _offer(self) -> Offer:
        settings = self._settings
        if not settings.principal_id:
            raise OfferError("LIGHTKEEPER_PRINCIPAL_ID is not set, so the offer would name nobody.")
        roles = await asyncio.gather(*(self._role(role_id) for role_id in settings.offer_roles))
        wrong = [f"{role.name}: {why}" for role in roles if (why := why_not_delegable(role))]
        if wrong:
            raise OfferError(f"Azure Lighthouse does not delegate these roles: {'; '.join(wrong)}.")
        return Offer(settings.provider_tenant_id, settings.principal_id, settings.brand, tuple(roles))

    async def _role(self, role_id: str) -> Role:
        settings = self._settings
        scope = (
            f"/subscriptions/{settings.provider_subscription_id}/resourceGroups/{settings.hub_resource_group}"
        )
        try:
            return await get_role(self._arm, scope, role_id)
        except NotFoundError as error:
            raise OfferError(f"LIGHTKEEPER_OFFER_ROLES names {role_id}, which is no role.") from error
        except ArmError as error:
            raise OfferError(f"The roles could not be looked up: {error.detail}") from error


def _filled_files(offer: Offer) -> dict[str, str]:
    return {file: filled(file, (_FOLDER / file).read_text(encoding="utf-8"), offer) for file in FILES}


def _blob(integration_id: str, file: str) -> str:
    return f"onboarding/{integration_id}/{file}"
