"""What a customer is to run, and the files for it."""

from collections.abc import Mapping
from http import HTTPStatus
from shlex import quote
from typing import Final

from shared.model.answers import Answer, answer, problem_answer
from shared.model.ids import normal_guid
from shared.model.integration import Integration
from shared.onboarding.files import OfferError, OnboardingFiles, Published
from shared.onboarding.offer import FILES, Task, onboard, onboard_one, prepare, remove
from shared.portal.commands import not_found
from shared.portal.views import Json, time_view
from shared.store.integrations import IntegrationStore
from shared.store.links import BadLinkError

_TEXT: Final = "text/plain"


class OnboardingApi:
    """Shows the commands, with links that end, and serves what the links lead to."""

    def __init__(self, files: OnboardingFiles, integrations: IntegrationStore) -> None:
        self._files = files
        self._integrations = integrations

    async def onboarding(self, integration_id: str, origin: str) -> Answer:
        """Commands and fresh links: 200; 404 if there is no such integration, 409 if there is no offer."""
        try:
            integration = await self._integrations.get(normal_guid(integration_id))
        except ValueError:
            integration = None
        if integration is None:
            return not_found()
        try:
            published = await self._files.publish(integration)
        except OfferError as error:
            return problem_answer(HTTPStatus.CONFLICT, "No offer", str(error))
        return answer(HTTPStatus.OK, onboarding_view(integration, published, origin))

    async def registered(self, integration: Integration, origin: str) -> Json:
        """The same for the answer to a registration, which stands even if nothing can be offered yet."""
        try:
            return onboarding_view(integration, await self._files.publish(integration), origin)
        except OfferError as error:
            return {"problem": str(error)}

    async def file(self, integration_id: str, file: str, query: Mapping[str, str]) -> Answer:
        """A file by its link: 200; 403 if the link is wrong or has ended, whatever it is that is wrong."""
        try:
            text = await self._files.read(normal_guid(integration_id), file, query)
        except (ValueError, BadLinkError):
            detail = "The link is not complete, or has ended. Ask your provider for another."
            return problem_answer(HTTPStatus.FORBIDDEN, "No access", detail)
        headers = {
            "Content-Disposition": f'attachment; filename="{file}"',
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
        }
        return Answer(HTTPStatus.OK, text, _TEXT, headers)


def onboarding_view(integration: Integration, published: Published, origin: str) -> Json:
    """What to run before, for the whole scope, for a single subscription, and to take everything back.

    Args:
        integration: whose.
        published: its files.
        origin: where the app was reached, as `https://host`.
    """
    links = {
        file: f"{origin}/api/integrations/{integration.id}/{file}?{published.queries[file]}" for file in FILES
    }
    return {
        **_task_view(onboard(integration), links),
        "endsAt": time_view(published.ends_at),
        "preparation": {"command": prepare(integration)},
        "oneSubscription": _task_view(onboard_one(integration), links),
        "removal": _task_view(remove(integration), links),
    }


def _task_view(task: Task, links: Mapping[str, str]) -> Json:
    link = links[task.file]
    return {
        "template": link,
        "download": f"curl -fsSL -o {task.file} {quote(link)}",
        "command": task.command,
    }
