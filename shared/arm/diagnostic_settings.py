"""Diagnostic settings of subscriptions and resources, api-version 2021-05-01-preview.

learn.microsoft.com/rest/api/monitor/diagnostic-settings
"""

from azure.mgmt.monitor.v2021_05_01_preview.models import (
    DiagnosticSettingsResource,
    LogSettings,
    MetricSettings,
)

from shared.arm.connection import Arm
from shared.arm.errors import NotFoundError
from shared.arm.refusals import arm_errors
from shared.model.diagnostics import Additions, DiagnosticSetting


async def get_setting(arm: Arm, scope: str, name: str) -> DiagnosticSetting | None:
    """The setting of that name, or None if there is none.

    Args:
        arm: the connection.
        scope: `/subscriptions/{id}` or the ID of a resource.
        name: of the setting.

    Raises:
        ArmError: Azure refused or did not answer; a scope that is not there counts as no setting.
    """
    try:
        with arm_errors():
            found = await arm.monitor.diagnostic_settings.get(scope.strip("/"), name)
    except NotFoundError:
        return None
    return _to_model(name, found)


async def put_setting(arm: Arm, scope: str, setting: DiagnosticSetting) -> None:
    """Create the setting or replace it whole, what the customer added to it included.

    Azure has been seen to answer OK and keep nothing, so this proves nothing: read it back.

    Raises:
        ArmError: Azure refused or did not answer.
    """
    added = setting.additions
    body = DiagnosticSettingsResource(
        event_hub_authorization_rule_id=setting.rule_id,
        event_hub_name=setting.hub,
        logs=[LogSettings(category=name, enabled=True) for name in sorted(setting.categories)],
        workspace_id=added.workspace_id or None,
        log_analytics_destination_type=added.tables or None,
        storage_account_id=added.storage_account_id or None,
        service_bus_rule_id=added.service_bus_rule_id or None,
        marketplace_partner_id=added.partner_id or None,
        metrics=[MetricSettings(category=name, enabled=True) for name in sorted(added.metrics)] or None,
    )
    with arm_errors():
        await arm.monitor.diagnostic_settings.create_or_update(scope.strip("/"), setting.name, body)


async def delete_setting(arm: Arm, scope: str, name: str) -> None:
    """Delete the setting; one that is not there is deleted already.

    Raises:
        ArmError: Azure refused or did not answer.
    """
    try:
        with arm_errors():
            await arm.monitor.diagnostic_settings.delete(scope.strip("/"), name)
    except NotFoundError:
        return


def _to_model(name: str, found: DiagnosticSettingsResource) -> DiagnosticSetting:
    return DiagnosticSetting(
        name=name,
        rule_id=found.event_hub_authorization_rule_id or "",
        hub=found.event_hub_name or "",
        # Azure also lists the categories that are switched off.
        categories=frozenset(
            log.category or log.category_group or "" for log in found.logs or () if log.enabled
        ),
        additions=Additions(
            workspace_id=found.workspace_id or "",
            tables=found.log_analytics_destination_type or "",
            storage_account_id=found.storage_account_id or "",
            service_bus_rule_id=found.service_bus_rule_id or "",
            partner_id=found.marketplace_partner_id or "",
            metrics=frozenset(each.category or "" for each in found.metrics or () if each.enabled),
        ),
    )
