"""What the customer is given to run."""

import shlex
from dataclasses import dataclass

from shared.model.integration import Integration

TEMPLATE_NAME = "onboarding.bicep"


@dataclass(frozen=True, slots=True)
class Onboarding:
    """How the customer delegates their subscriptions.

    Attributes:
        command: one `az` command line, to be run where the template is.
        template: URL path of the Bicep file.
    """

    command: str
    template: str


def onboarding_of(integration: Integration) -> Onboarding:
    """The command and the template for one integration.

    A tenant's root management group has the tenant's id as its name
    (learn.microsoft.com/azure/governance/management-groups/overview).
    """
    scope = integration.management_group_id or integration.tenant_id
    command = [
        "az",
        "deployment",
        "mg",
        "create",
        "--management-group-id",
        scope,
        "--location",
        integration.home_region,
        "--name",
        f"lightkeeper-{integration.customer}",
        "--template-file",
        TEMPLATE_NAME,
    ]
    return Onboarding(
        command=shlex.join(command), template=f"/api/integrations/{integration.id}/{TEMPLATE_NAME}"
    )
