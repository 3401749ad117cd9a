"""The API behind the HTTP triggers: what it answers, without HTTP itself."""

import asyncio
from http import HTTPStatus

from shared.model.answers import Answer, answer, problem_answer
from shared.model.ids import normal_guid
from shared.model.integration import Integration
from shared.onboarding.offer import onboarding_of
from shared.onboarding.register import Registrar
from shared.onboarding.request import InvalidRequestError, parse_registration
from shared.portal.views import (
    Json,
    entry_counts,
    hub_view,
    integration_view,
    problem_view,
    subscription_counts,
    subscription_view,
)
from shared.store.captures import CaptureStore
from shared.store.hubs import HubStore
from shared.store.integrations import AlreadyRegisteredError, IntegrationStore
from shared.store.problems import ProblemStore
from shared.store.subscriptions import SubscriptionStore


class PortalApi:
    """Registers integrations, and shows what there is to see of them."""

    def __init__(
        self,
        *,
        registrar: Registrar,
        integrations: IntegrationStore,
        subscriptions: SubscriptionStore,
        hubs: HubStore,
        captures: CaptureStore,
        problems: ProblemStore,
    ) -> None:
        self._registrar = registrar
        self._integrations = integrations
        self._subscriptions = subscriptions
        self._hubs = hubs
        self._captures = captures
        self._problems = problems

    async def register(self, body: bytes) -> Answer:
        """Register a customer tenant: 201, 400 with every wrong field, or 409 if it is registered already."""
        try:
            integration = await self._registrar.register(parse_registration(body))
        except InvalidRequestError as error:
            wrong = [{"field": each.field, "detail": each.detail} for each in error.errors]
            return problem_answer(HTTPStatus.BAD_REQUEST, "Invalid request", str(error), errors=wrong)
        except AlreadyRegisteredError as error:
            return problem_answer(HTTPStatus.CONFLICT, "Already registered", str(error), field=error.field)
        onboarding = onboarding_of(integration)
        value = {
            **integration_view(integration),
            "onboarding": {"command": onboarding.command, "template": onboarding.template},
        }
        location = f"/api/integrations/{integration.id}"
        return answer(HTTPStatus.CREATED, value, headers={"Location": location})

    async def integrations(self) -> Answer:
        """All integrations."""
        found = await self._integrations.list()
        return answer(
            HTTPStatus.OK, {"integrations": [integration_view(integration) for integration in found]}
        )

    async def integration(self, integration_id: str) -> Answer:
        """One integration: status, counts, hubs and problems; 404 if there is none."""
        integration = await self._find(integration_id)
        if integration is None:
            return _not_found()
        subscriptions, hubs, totals, problems = await asyncio.gather(
            self._subscriptions.list(integration.id),
            self._hubs.list(),
            self._captures.totals(integration.id),
            self._problems.list(integration.id),
        )
        counts: Json = {
            "subscriptions": subscription_counts([row.fact for row in subscriptions]),
            "entries": entry_counts(totals),
        }
        return answer(
            HTTPStatus.OK,
            {
                **integration_view(integration),
                "counts": counts,
                "hubs": [hub_view(row.fact) for row in hubs if row.fact.integration_id == integration.id],
                "problems": [problem_view(problem) for problem in problems],
            },
        )

    async def subscriptions(self, integration_id: str) -> Answer:
        """All subscriptions of an integration, by name; 404 if there is no such integration."""
        integration = await self._find(integration_id)
        if integration is None:
            return _not_found()
        rows = [row.fact for row in await self._subscriptions.list(integration.id)]
        rows.sort(key=lambda row: (row.name.lower(), row.subscription_id))
        return answer(HTTPStatus.OK, {"subscriptions": [subscription_view(row) for row in rows]})

    async def _find(self, integration_id: str) -> Integration | None:
        try:
            return await self._integrations.get(normal_guid(integration_id))
        except ValueError:
            return None


def _not_found() -> Answer:
    return problem_answer(HTTPStatus.NOT_FOUND, "Not found", "There is no integration of that id.")
