"""Which setting a subscription is to have."""

from shared.model.diagnostics import ACTIVITY_LOG_CATEGORIES
from shared.sync.subscription_settings import wanted_setting
from tests.helpers.facts import GROUP, PROVIDER_SUBSCRIPTION, an_assignment, settings

_SETTINGS = settings()


def test_the_setting_sends_all_eight_categories_to_the_customers_hub() -> None:
    wanted = wanted_setting(_SETTINGS, an_assignment())
    assert wanted.name == "Lightkeeper-Logs"
    assert wanted.hub == "contoso"
    assert wanted.categories == ACTIVITY_LOG_CATEGORIES
    assert len(wanted.categories) == 8
    assert wanted.rule_id == (
        f"/subscriptions/{PROVIDER_SUBSCRIPTION}/resourceGroups/{GROUP}/providers/Microsoft.EventHub"
        "/namespaces/lightkeeper-westeurope-1/authorizationRules/diagnostics"
    )


def test_the_brand_names_the_setting() -> None:
    assert wanted_setting(settings(LIGHTKEEPER_BRAND="Beacon"), an_assignment()).name == "Beacon-Logs"
