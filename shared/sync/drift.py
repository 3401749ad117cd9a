"""Drift: where Azure differs from what we want, as values, and only in the fields we own."""

from dataclasses import dataclass

from shared.model.diagnostics import DiagnosticSetting
from shared.model.exports import AlertExport, ExportRule
from shared.model.hubs import HubShape, NamespaceShape


@dataclass(frozen=True, slots=True)
class Difference:
    """One field that is not as wanted.

    Attributes:
        field: its name.
        wanted: what we want, as text.
        observed: what Azure has, as text.
    """

    field: str
    wanted: str
    observed: str


def setting_drift(wanted: DiagnosticSetting, observed: DiagnosticSetting) -> list[Difference]:
    """How a diagnostic setting differs. Other sinks that the customer added to it are theirs."""
    return _differences(
        ("rule", wanted.rule_id.lower(), observed.rule_id.lower()),
        ("hub", wanted.hub.lower(), observed.hub.lower()),
        ("categories", _names(wanted.categories), _names(observed.categories)),
    )


def namespace_drift(wanted: NamespaceShape, observed: NamespaceShape) -> list[Difference]:
    """How a namespace differs. Identities that somebody else attached to it are theirs."""
    return _differences(
        ("tier", wanted.tier.lower(), observed.tier.lower()),
        ("identity", _names(wanted.identities), _names(wanted.identities & observed.identities)),
        ("keys", str(wanted.keys_allowed), str(observed.keys_allowed)),
    )


def hub_drift(wanted: HubShape, observed: HubShape) -> list[Difference]:
    """How an event hub differs. Partitions are decided when it is made; Azure cannot change them."""
    return _differences(
        ("retention", str(wanted.retention_hours), str(observed.retention_hours)),
        ("capture", str(wanted.capture), str(observed.capture)),
    )


def rule_drift(wanted: ExportRule, observed: ExportRule) -> list[Difference]:
    """How a data export rule differs."""
    return _differences(
        ("namespace", wanted.namespace_id.lower(), observed.namespace_id.lower()),
        ("hub", wanted.hub.lower(), observed.hub.lower()),
        ("tables", _names(wanted.tables), _names(observed.tables)),
        ("enabled", str(wanted.enabled), str(observed.enabled)),
    )


def export_drift(wanted: AlertExport, observed: AlertExport) -> list[Difference]:
    """How an alert export differs; what it authenticates with cannot be seen."""
    return _differences(
        ("hub", wanted.hub_id.lower(), observed.hub_id.lower()),
        ("scope", wanted.scope.lower(), observed.scope.lower()),
        ("sources", _names(wanted.sources), _names(observed.sources)),
        ("enabled", str(wanted.enabled), str(observed.enabled)),
    )


def _names(names: frozenset[str]) -> str:
    return ",".join(sorted(name.lower() for name in names))


def _differences(*fields: tuple[str, str, str]) -> list[Difference]:
    return [Difference(*field) for field in fields if field[1] != field[2]]
