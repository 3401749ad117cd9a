"""Resources: which are monitored, as Azure lists them, and as we keep them."""

from dataclasses import dataclass

from shared.model.ids import stable_hash
from shared.model.upkeep import Upkeep


@dataclass(frozen=True, slots=True)
class ListedResource:
    """One resource as a listing gives it.

    Attributes:
        id: resource ID as Azure spelled it this time.
        type: resource type in lower case.
        region: as in `westeurope`; `global` for resources without a region.
        subscription_id: lower-case GUID.
    """

    id: str
    type: str
    region: str
    subscription_id: str

    @property
    def key(self) -> str:
        """The same for the same resource, however its ID is spelled."""
        return stable_hash(self.id.lower())


@dataclass(frozen=True, slots=True)
class Resource:
    """What we know of one monitored resource.

    Attributes:
        integration_id: the integration it belongs to.
        listed: as it was last listed.
        first_seen: stamp of the first complete listing that saw it.
        missed: stamps of the complete listings in a row that did not see it, oldest first.
        upkeep: how far its diagnostic setting has come.
    """

    integration_id: str
    listed: ListedResource
    first_seen: str
    missed: tuple[str, ...] = ()
    upkeep: Upkeep = Upkeep()  # noqa: RUF009 - frozen, so it can be shared
