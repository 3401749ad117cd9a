"""What is kept in customers' subscriptions: one keeper for each kind of object."""

from dataclasses import dataclass, field, replace
from typing import Final

from shared.arm.automations import get_automation, put_automation
from shared.arm.connection import Arm
from shared.arm.data_exports import get_rule, put_rule
from shared.arm.diagnostic_settings import get_setting, put_setting
from shared.model.diagnostics import DiagnosticSetting
from shared.model.exports import AlertExport, ExportRule
from shared.sync.drift import Difference, export_drift, rule_drift, setting_drift

LOG_ANALYTICS_CONTRIBUTOR: Final = "Log Analytics Contributor"
SECURITY_ADMIN: Final = "Security Admin"


@dataclass(frozen=True, slots=True)
class SettingKeeper:
    """Keeps one diagnostic setting.

    Attributes:
        arm: the connection.
        scope: `/subscriptions/{id}` or the ID of a resource.
        wanted: the setting.
    """

    arm: Arm
    scope: str
    wanted: DiagnosticSetting

    @property
    def role(self) -> str:
        """Allows to write diagnostic settings everywhere."""
        return LOG_ANALYTICS_CONTRIBUTOR

    async def read(self) -> DiagnosticSetting | None:
        """What Azure has."""
        return await get_setting(self.arm, self.scope, self.wanted.name)

    def drift(self, found: DiagnosticSetting) -> list[Difference]:
        """Where that differs from what is wanted."""
        return setting_drift(self.wanted, found)

    async def write(self, found: DiagnosticSetting | None) -> None:
        """Make it as wanted; what the customer added to it stays."""
        wanted = self.wanted if found is None else replace(self.wanted, additions=found.additions)
        await put_setting(self.arm, self.scope, wanted)


@dataclass(frozen=True, slots=True)
class ExportRuleKeeper:
    """Keeps the data export rule of one workspace.

    Attributes:
        arm: the connection.
        workspace_id: ID of the workspace.
        wanted: the rule.
    """

    arm: Arm
    workspace_id: str
    wanted: ExportRule

    @property
    def role(self) -> str:
        """Allows to write everything in workspaces."""
        return LOG_ANALYTICS_CONTRIBUTOR

    async def read(self) -> ExportRule | None:
        """What Azure has."""
        return await get_rule(self.arm, self.workspace_id, self.wanted.name)

    def drift(self, found: ExportRule) -> list[Difference]:
        """Where that differs from what is wanted."""
        return rule_drift(self.wanted, found)

    async def write(self, found: ExportRule | None) -> None:
        """Make it as wanted."""
        del found
        await put_rule(self.arm, self.workspace_id, self.wanted)


@dataclass(frozen=True, slots=True)
class AlertExportKeeper:
    """Keeps the export of Defender for Cloud alerts of one subscription.

    Attributes:
        arm: the connection.
        automation_id: ID of the automation.
        wanted: what it is to do.
        region: of its resource group.
        connection_string: with which Defender sends to the hub; a secret, handed on and not kept.
    """

    arm: Arm
    automation_id: str
    wanted: AlertExport
    region: str
    connection_string: str = field(repr=False)

    @property
    def role(self) -> str:
        """Allows to write Defender for Cloud automations."""
        return SECURITY_ADMIN

    async def read(self) -> AlertExport | None:
        """What Azure has."""
        return await get_automation(self.arm, self.automation_id)

    def drift(self, found: AlertExport) -> list[Difference]:
        """Where that differs from what is wanted."""
        return export_drift(self.wanted, found)

    async def write(self, found: AlertExport | None) -> None:
        """Make it as wanted."""
        del found
        await put_automation(
            self.arm,
            self.automation_id,
            self.wanted,
            region=self.region,
            connection_string=self.connection_string,
        )
