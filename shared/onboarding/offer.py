"""What the customer is given to run: files with the offer filled in, and the commands that go with them."""

import re
import shlex
from dataclasses import dataclass
from typing import Final

from shared.model.integration import Integration
from shared.model.role import Role

MANAGEMENT_GROUP: Final = "onboarding.bicep"
SUBSCRIPTION: Final = "subscription.bicep"
REMOVAL: Final = "remove.sh"
FILES: Final = (MANAGEMENT_GROUP, SUBSCRIPTION, REMOVAL)
"""The files in `infra/customer` that customers are given."""

PROVIDERS: Final = ("Microsoft.ManagedServices", "Microsoft.Insights", "Microsoft.Security")
"""Resource providers that delegation, the export of logs and the export of alerts need.

The policy does not run where the first is not registered
(github.com/Azure/Azure-Lighthouse-samples, policy-delegate-management-groups).
"""


@dataclass(frozen=True, slots=True)
class Offer:
    """What we ask customers for.

    Attributes:
        tenant_id: the provider's tenant.
        principal_id: object ID of the identity that is given the roles.
        brand: start of the names of everything.
        roles: what it is given, in the order asked for.
    """

    tenant_id: str
    principal_id: str
    brand: str
    roles: tuple[Role, ...]


@dataclass(frozen=True, slots=True)
class Task:
    """One thing that a customer can run.

    Attributes:
        file: name of the file that it needs.
        command: one command line, to be run where the file is.
    """

    file: str
    command: str


def filled(file: str, text: str, offer: Offer) -> str:
    """A file with the offer in place of its blanks.

    Raises:
        ValueError: the file lacks one of the blanks.
    """
    if file == REMOVAL:
        values = {"PROVIDER_TENANT_ID": offer.tenant_id, "BRAND": offer.brand}
        for name, value in values.items():
            text = _replaced(text, rf"(?m)^{name}=.*$", f"{name}={shlex.quote(value)}")
        return text
    roles = "".join(f"  '{role.id}' // {' '.join(role.name.split())}\n" for role in offer.roles)
    text = _replaced(
        text, r"(?m)^param roles string\[\] = \[\n(?:  .*\n)*\]$", f"param roles string[] = [\n{roles}]"
    )
    for name, value in (
        ("providerTenantId", offer.tenant_id),
        ("principalId", offer.principal_id),
        ("brand", offer.brand),
    ):
        text = _replaced(text, rf"(?m)^param {name} string.*$", f"param {name} string = '{value}'")
    return text


def prepare(integration: Integration) -> str:
    """Register `PROVIDERS` in every subscription whose home is the customer's tenant, in one command line."""
    query = f"[?homeTenantId=='{integration.tenant_id}' && state=='Enabled'].id"
    subscriptions = shlex.join(["az", "account", "list", "--refresh", "--output", "tsv", "--query"])
    register = 'az provider register --namespace "$name" --subscription "$id"'
    return (
        f'for id in $({subscriptions} "{query}"); do '
        f"for name in {' '.join(PROVIDERS)}; do {register}; done; done"
    )


def onboard(integration: Integration) -> Task:
    """Delegate everything below the customer's management group.

    A tenant's root management group has the tenant's id as its name
    (learn.microsoft.com/azure/governance/management-groups/overview).
    """
    command = ["az", "deployment", "mg", "create", "--management-group-id", _scope(integration)]
    return Task(MANAGEMENT_GROUP, shlex.join([*command, *_deployment(integration, MANAGEMENT_GROUP)]))


def onboard_one(integration: Integration) -> Task:
    """Delegate a single subscription."""
    command = ["az", "deployment", "sub", "create"]
    tail = shlex.join(_deployment(integration, SUBSCRIPTION))
    return Task(SUBSCRIPTION, f"{shlex.join(command)} --subscription <id> {tail}")


def remove(integration: Integration) -> Task:
    """Take back everything."""
    return Task(REMOVAL, shlex.join(["sh", REMOVAL, _scope(integration)]))


def _scope(integration: Integration) -> str:
    return integration.management_group_id or integration.tenant_id


def _deployment(integration: Integration, file: str) -> list[str]:
    name = f"lightkeeper-{integration.customer}"
    return ["--location", integration.home_region, "--name", name, "--template-file", file]


def _replaced(text: str, pattern: str, value: str) -> str:
    result, count = re.subn(pattern, lambda _: value, text)
    if count != 1:
        raise ValueError(f"{pattern} is there {count} times")
    return result
