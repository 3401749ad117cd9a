"""From nothing to configured, through the real clients, tables and queues."""

from local.azure.estate import add_customer
from shared.model.diagnostics import ACTIVITY_LOG_CATEGORIES
from shared.model.integration import IntegrationStatus
from shared.model.reasons import Reason
from shared.model.subscription import Coverage
from tests.helpers.lab import Lab


async def test_a_new_customers_delegated_subscriptions_become_configured(lab: Lab) -> None:
    contoso = add_customer(lab.world, "contoso", 5, not_delegated=1, disabled=1)
    integration = await lab.integrate("contoso", contoso.tenant_id)

    await lab.cycle()

    rows = await lab.rows(integration)
    assert {key for key, row in rows.items() if row.coverage is Coverage.CONFIGURED} == set(contoso.delegated)
    (disabled,) = contoso.disabled
    assert rows[disabled].reason is Reason.SUBSCRIPTION_DISABLED
    for subscription_id in contoso.delegated:
        setting = lab.world.setting(f"/subscriptions/{subscription_id}", "Lightkeeper-Logs")
        assert setting is not None
        assert setting.hub == "contoso"
        assert setting.enabled == ACTIVITY_LOG_CATEGORIES
        assert "/namespaces/lightkeeper-westeurope-1/" in setting.rule_id
    found = await lab.context.integrations.get(integration.id)
    assert found is not None
    assert found.status is IntegrationStatus.ACTIVE
