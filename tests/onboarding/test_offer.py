"""What the customer is given to run."""

import shlex
from dataclasses import replace

from shared.onboarding.offer import onboarding_of
from tests.helpers.facts import CUSTOMER_TENANT, INTEGRATION, an_integration


def test_without_a_management_group_the_whole_tenant_is_delegated() -> None:
    words = shlex.split(onboarding_of(an_integration()).command)
    assert words[:4] == ["az", "deployment", "mg", "create"]
    assert words[words.index("--management-group-id") + 1] == CUSTOMER_TENANT
    assert words[words.index("--location") + 1] == "westeurope"
    assert words[words.index("--name") + 1] == "lightkeeper-contoso"


def test_a_management_group_narrows_the_offer() -> None:
    integration = replace(an_integration(), management_group_id="Contoso-Prod")
    words = shlex.split(onboarding_of(integration).command)
    assert words[words.index("--management-group-id") + 1] == "Contoso-Prod"


def test_what_a_customer_typed_stays_one_word_of_the_command() -> None:
    integration = replace(an_integration(), management_group_id="x; rm -rf (~)")
    words = shlex.split(onboarding_of(integration).command)
    assert "x; rm -rf (~)" in words


def test_the_template_is_found_under_the_integration() -> None:
    assert onboarding_of(an_integration()).template == f"/api/integrations/{INTEGRATION}/onboarding.bicep"
