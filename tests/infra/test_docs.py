"""The documentation says what the code says."""

import re
from pathlib import Path

import pytest

from local import costs
from local.azure.roles import BY_GUID
from local.troubleshooting import page
from shared.model.exports import ENTRA_TABLES
from shared.settings import SCHEDULES
from shared.store.links import LINK_LIFE
from shared.sync.assignments import new_assignments
from tests.helpers.facts import NOW, a_guid, an_integration, settings
from tests.infra.evaluate import INFRA
from tests.infra.test_provider import _ALLOWED, _read_by_the_app

_DOCS = INFRA.parent / "docs"
_PAGES = sorted(_DOCS.glob("*.md"))


def _named(path: Path) -> str:
    return path.name


def test_every_reason_is_explained_as_the_app_explains_it() -> None:
    written = (_DOCS / "troubleshooting.md").read_text(encoding="utf-8")
    assert written == page(), "run: python -m local.troubleshooting > docs/troubleshooting.md"


def test_the_estimates_follow_from_the_assumptions() -> None:
    written = (_DOCS / "costs.md").read_text(encoding="utf-8")
    assert written == costs.page(), "run: python -m local.costs > docs/costs.md"


@pytest.mark.parametrize("case", costs.CASES, ids=lambda case: str(case.subscriptions))
def test_the_estimates_are_of_what_the_app_would_make(case: costs.Case) -> None:
    here = settings()
    assert (case.capture_seconds, case.partitions) == (here.capture_interval_seconds, here.hub_partitions)
    assert case.hubs_per_namespace == here.hubs_per_namespace
    integrations = [
        an_integration(id=a_guid(i), customer=f"customer-{i:02d}", home_region=f"region{i % case.regions}")
        for i in range(case.customers)
    ]
    regions = {
        a_guid(i): [f"region{(i + step) % case.regions}" for step in range(case.regions_each)]
        for i in range(case.customers)
    }
    rows = new_assignments(
        integrations, [], regions=regions, capacity=case.hubs_per_namespace, prefix="keeper", now=NOW
    )
    assert len(rows) == case.hubs
    assert len({row.namespace for row in rows}) == case.namespaces


def test_every_page_is_listed() -> None:
    listed = set(re.findall(r"\]\((\w[\w-]*\.md)\)", (_DOCS / "README.md").read_text(encoding="utf-8")))
    assert listed == {path.name for path in _PAGES} - {"README.md"}


@pytest.mark.parametrize("path", _PAGES, ids=_named)
def test_links_between_pages_lead_somewhere(path: Path) -> None:
    targets = re.findall(r"\]\(([^):#]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8"))
    assert not [target for target in targets if not (_DOCS / target).exists()]


@pytest.mark.parametrize("path", _PAGES, ids=_named)
def test_settings_and_files_that_are_named_exist(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    outputs = re.findall(r"(?m)^output (\w+)", (INFRA / "main.bicep").read_text(encoding="utf-8"))
    variables = re.findall(r"readEnvironmentVariable\('(\w+)'", (INFRA / "main.bicepparam").read_text())
    known = {*_read_by_the_app(), *SCHEDULES, *outputs, *variables, "LIGHTKEEPER_URL"}
    named = set(re.findall(r"\b(?:LIGHTKEEPER|AZURE)_[A-Z_]+[A-Z]\b", text))
    assert not named - known
    files = re.findall(r"`((?:infra|shared|docs)/[\w./-]+\.\w+)`", text)
    assert not [name for name in files if not (INFRA.parent / name).exists()]


def test_every_role_that_is_assigned_is_explained() -> None:
    text = (_DOCS / "permissions.md").read_text(encoding="utf-8")
    who = {"app": "the app", "capture": "Capture's identity", "topic": "the Event Grid topic"}
    table = text[text.index("## In the provider's subscription") :]
    rows = [
        tuple(cell.strip() for cell in line.split("|")[1:3]) for line in table.splitlines() if "|" in line
    ]
    explained = {(name, role.removesuffix(" (custom)")) for name, role in rows[2:]}
    assert explained == {(who[name], role) for name, role, _ in _ALLOWED}


def test_every_role_that_is_offered_is_explained() -> None:
    text = (_DOCS / "permissions.md").read_text(encoding="utf-8")
    table = text[: text.index("What the app does with them")]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines() if "|" in line]
    assert [row[0] for row in rows[2:]] == [BY_GUID[guid].name for guid in settings().offer_roles]
    assert all(len(row) == 3 and all(row) for row in rows)


def test_the_customer_is_told_of_every_table_that_is_exported() -> None:
    text = (_DOCS / "onboard-customer.md").read_text(encoding="utf-8")
    section = text[text.index("### Sign-ins and audit logs") : text.index("### Alerts of Defender")]
    rows = [[cell.strip() for cell in line.split("|")[1:3]] for line in section.splitlines() if "|" in line]
    tables = [table for _, table in rows[2:]]
    assert len(tables) == len(set(tables))
    assert frozenset(tables) == ENTRA_TABLES


def test_links_last_as_long_as_is_said() -> None:
    assert LINK_LIFE.days == 6
    for name in ("onboard-provider.md", "security.md"):
        assert "six days" in (_DOCS / name).read_text(encoding="utf-8")
