"""What the tests of the connection to Azure have at hand."""

from dataclasses import dataclass

from local.azure.app import SimulatedAzure
from local.azure.estate import Customer
from local.azure.faults import Fault
from local.azure.world import World
from shared.arm.connection import Arm
from shared.arm.event_hubs import begin_namespace, put_hub, put_rule, rule_id
from shared.model.diagnostics import ACTIVITY_LOG_CATEGORIES, DiagnosticSetting
from shared.model.hubs import HubShape, NamespaceShape
from tests.helpers.facts import GROUP, PROVIDER_SUBSCRIPTION

NAMESPACE = "lightkeeper-westeurope-1"


@dataclass
class Scene:
    """A simulated Azure, and our connection to it."""

    azure: SimulatedAzure
    arm: Arm
    customer: Customer
    url: str

    @property
    def world(self) -> World:
        return self.azure.world

    @property
    def scope(self) -> str:
        """The customer's first subscription."""
        return f"/subscriptions/{self.customer.delegated[0]}"

    @property
    def setting(self) -> DiagnosticSetting:
        """What we want there."""
        rule = rule_id(PROVIDER_SUBSCRIPTION, GROUP, NAMESPACE)
        return DiagnosticSetting("Lightkeeper-Logs", rule, "contoso", ACTIVITY_LOG_CATEGORIES)

    async def make_hub(self) -> None:
        """A namespace with a rule and a hub."""
        (identity,) = self.world.identities
        shape = NamespaceShape("westeurope", "Standard", frozenset({identity}))
        await begin_namespace(self.arm, GROUP, NAMESPACE, shape)
        self.world.clock.move(self.world.namespace_seconds)
        await put_rule(self.arm, GROUP, NAMESPACE)
        await put_hub(self.arm, GROUP, NAMESPACE, "contoso", HubShape(2, 24, None))

    def break_calls(self, fault: Fault) -> None:
        """Let a fault befall calls from now on."""
        self.azure.faults.switch_on("fault", fault)
