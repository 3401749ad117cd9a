"""The API behind the HTTP triggers: what it answers, without HTTP itself."""

import asyncio
from collections.abc import Mapping
from http import HTTPStatus

from shared.model.answers import Answer, answer, problem_answer
from shared.model.ids import normal_guid
from shared.model.integration import Integration
from shared.onboarding.register import Registrar
from shared.onboarding.request import InvalidRequestError, parse_registration
from shared.portal.commands import not_found
from shared.portal.offboarding import offboarding_view
from shared.portal.onboarding import OnboardingApi
from shared.portal.paging import InvalidQueryError, parse_page, token_of
from shared.portal.views import (
    Json,
    coverage_counts,
    entry_counts,
    hub_view,
    integration_view,
    pairs_of,
    problem_view,
    resource_view,
    subscription_view,
    time_view,
)
from shared.store.alert_exports import AlertExportStore
from shared.store.captures import CaptureStore
from shared.store.hubs import HubStore
from shared.store.integrations import AlreadyRegisteredError, IntegrationStore
from shared.store.problems import ProblemStore
from shared.store.removals import RemovalStore
from shared.store.resources import ResourceStore, UnknownPageError
from shared.store.subscriptions import SubscriptionStore
from shared.store.workspaces import WorkspaceStore


class PortalApi:
    """Registers integrations, and shows what there is to see of them."""

    def __init__(
        self,
        *,
        registrar: Registrar,
        onboarding: OnboardingApi,
        integrations: IntegrationStore,
        subscriptions: SubscriptionStore,
        resources: ResourceStore,
        workspaces: WorkspaceStore,
        alert_exports: AlertExportStore,
        removals: RemovalStore,
        hubs: HubStore,
        captures: CaptureStore,
        problems: ProblemStore,
    ) -> None:
        self._registrar = registrar
        self._onboarding = onboarding
        self._integrations = integrations
        self._subscriptions = subscriptions
        self._resources = resources
        self._workspaces = workspaces
        self._alert_exports = alert_exports
        self._removals = removals
        self._hubs = hubs
        self._captures = captures
        self._problems = problems

    async def register(self, body: bytes, origin: str) -> Answer:
        """Register a customer tenant: 201, 400 with every wrong field, or 409 if it is registered already.

        Args:
            body: the request.
            origin: where the app was reached, as `https://host`.
        """
        try:
            integration = await self._registrar.register(parse_registration(body))
        except InvalidRequestError as error:
            wrong = [{"field": each.field, "detail": each.detail} for each in error.errors]
            return problem_answer(HTTPStatus.BAD_REQUEST, "Invalid request", str(error), errors=wrong)
        except AlreadyRegisteredError as error:
            return problem_answer(HTTPStatus.CONFLICT, "Already registered", str(error), field=error.field)
        value = {
            **integration_view(integration),
            "onboarding": await self._onboarding.registered(integration, origin),
        }
        location = f"/api/integrations/{integration.id}"
        return answer(HTTPStatus.CREATED, value, headers={"Location": location})

    async def integrations(self) -> Answer:
        """All integrations."""
        found = await self._integrations.list_all()
        return answer(
            HTTPStatus.OK, {"integrations": [integration_view(integration) for integration in found]}
        )

    async def integration(self, integration_id: str) -> Answer:
        """One integration: status, counts, last entry, hubs and problems; 404 if there is none."""
        integration = await self._find(integration_id)
        if integration is None:
            return not_found()
        subscriptions, resources, workspaces, exports = await asyncio.gather(
            self._subscriptions.list(integration.id),
            self._resources.counts(integration.id),
            self._workspaces.list_of(integration.id),
            self._alert_exports.list(integration.id),
        )
        hubs, (totals, last), problems = await asyncio.gather(
            self._hubs.list(),
            self._captures.overview(integration.id),
            self._problems.list(integration.id),
        )
        counts: Json = {
            "subscriptions": coverage_counts(pairs_of(row.fact.upkeep for row in subscriptions)),
            "resources": coverage_counts(resources),
            "workspaces": coverage_counts(pairs_of(each.upkeep for each in workspaces)),
            "alertExports": coverage_counts(pairs_of(each.upkeep for each in exports.values())),
            "entries": entry_counts(totals),
        }
        return answer(
            HTTPStatus.OK,
            {
                **integration_view(integration),
                "counts": counts,
                "lastEntryAt": time_view(last),
                "hubs": [hub_view(row.fact) for row in hubs if row.fact.integration_id == integration.id],
                "problems": [problem_view(problem) for problem in problems],
            },
        )

    async def subscriptions(self, integration_id: str) -> Answer:
        """All subscriptions of an integration, by name; 404 if there is no such integration."""
        integration = await self._find(integration_id)
        if integration is None:
            return not_found()
        rows = [row.fact for row in await self._subscriptions.list(integration.id)]
        rows.sort(key=lambda row: (row.name.lower(), row.subscription_id))
        return answer(HTTPStatus.OK, {"subscriptions": [subscription_view(row) for row in rows]})

    async def resources(self, integration_id: str, query: Mapping[str, str]) -> Answer:
        """A page of an integration's resources, of one coverage or all.

        404 if there is no such integration, 400 with what is wrong with the query.
        """
        integration = await self._find(integration_id)
        if integration is None:
            return not_found()
        try:
            wanted = parse_page(query)
            found, further = await self._resources.page(
                integration.id, wanted.coverage, wanted.most, wanted.start
            )
        except UnknownPageError:
            return _bad_query(InvalidQueryError("continuationToken", "must be as the page before gave it"))
        except InvalidQueryError as error:
            return _bad_query(error)
        return answer(
            HTTPStatus.OK,
            {
                "resources": [resource_view(resource) for resource in found],
                "continuationToken": token_of(further) if further is not None else None,
            },
        )

    async def offboarding(self, integration_id: str) -> Answer:
        """What became of the objects of an integration that is or was offboarded; 404 if there is none."""
        integration = await self._find(integration_id)
        if integration is None:
            return not_found()
        if integration.kept:
            detail = "The integration is not being offboarded."
            return problem_answer(HTTPStatus.NOT_FOUND, "Not found", detail)
        removals, hubs = await asyncio.gather(self._removals.list(integration.id), self._hubs.list())
        own = [row.fact for row in hubs if row.fact.integration_id == integration.id]
        return answer(HTTPStatus.OK, offboarding_view(integration, [row.fact for row in removals], own))

    async def _find(self, integration_id: str) -> Integration | None:
        try:
            return await self._integrations.get(normal_guid(integration_id))
        except ValueError:
            return None


def _bad_query(error: InvalidQueryError) -> Answer:
    wrong = [{"field": error.field, "detail": error.detail}]
    return problem_answer(HTTPStatus.BAD_REQUEST, "Invalid request", str(error), errors=wrong)
