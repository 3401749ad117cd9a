"""What must hold in the end: Azure is as wanted, and the tables say what is true of it.

What is wanted is worked out here from the world alone, by other code than the app's.
"""

from collections import defaultdict

from shared.model.hubs import HubAssignment
from shared.model.integration import Integration
from shared.model.problem import PROVIDER, Problem
from shared.model.reasons import Reason
from shared.model.subscription import Subscription as SubscriptionRow
from shared.model.upkeep import Coverage, Upkeep
from shared.sync.context import Context
from tests.helpers.chaos_estate import Estate, Tenant
from tests.helpers.chaos_leaving import wrong_of_leaving
from tests.helpers.chaos_wanted import OLDER, RULE, Expected, Wanted

_UNCOVERED = (Coverage.BLOCKED, Coverage.EXCLUDED, Coverage.GONE)


class Truth:
    """Compares the tables of one customer with Azure.

    Args:
        estate: what there is.
        context: the app's tables.
    """

    def __init__(self, estate: Estate, context: Context) -> None:
        self._world = estate.world
        self._wanted = Wanted(estate.world)
        self._estate = estate
        self._context = context
        self._wrong: list[str] = []
        self._drained = False
        self._places: set[str] = set()

    async def wrong(
        self, integrations: list[Integration], malformed: set[str], *, drained: bool
    ) -> list[str]:
        """Everything that is not as it must be.

        Args:
            integrations: as they were registered.
            malformed: names of the queues of which messages were set aside.
            drained: whether hubs that nobody needs have had the time to go.
        """
        self._wrong, self._places = [], set()
        hubs = {(row.fact.region, row.fact.customer): row.fact for row in await self._context.hubs.list()}
        self._drained = drained
        known = {(hub.namespace, hub.hub) for hub in hubs.values()}
        left: set[str] = set()
        for tenant, integration in zip(self._estate.tenants, integrations, strict=True):
            found = await self._context.integrations.get(integration.id)
            if found is not None and found.kept:
                await self._check(tenant, integration, hubs)
            else:
                left.add(tenant.tenant_id)
                self._wrong += await wrong_of_leaving(self._world, self._context, tenant, integration.id)
            self._wrong += [
                f"{hub} in {namespace} is there, and nobody knows it"
                for namespace, hub in self._world.hubs
                if hub == tenant.customer and (namespace, hub) not in known
            ]
        problems = await self._context.problems.list(PROVIDER)
        unread = {problem.where for problem in problems if problem.reason is Reason.MALFORMED_MESSAGE}
        if unread != malformed:
            self._wrong.append(f"malformed messages in {malformed}, reported in {unread}")
        self._wrong += [
            f"open for the provider: {problem.reason} at {problem.where}"
            for problem in problems
            if problem.where not in unread and not self._is_due_to(problem, left)
        ]
        return self._wrong

    def _is_due_to(self, problem: Problem, left: set[str]) -> bool:
        """Who was offboarded and delegates all the same is a tenant that nobody knows any more."""
        return (
            problem.reason is Reason.UNKNOWN_TENANT
            and problem.where in left
            and any(
                each.tenant_id == problem.where and each.delegations
                for each in self._world.subscriptions.values()
            )
        )

    async def _check(
        self, tenant: Tenant, integration: Integration, hubs: dict[tuple[str, str], HubAssignment]
    ) -> None:
        context = self._context
        problems = await context.problems.list(integration.id)
        by_place: dict[str, list[Problem]] = defaultdict(list)
        for problem in problems:
            by_place[problem.where.lower()].append(problem)
        self._places = set()
        ready = {
            region: hub.namespace
            for (region, customer), hub in hubs.items()
            if customer == tenant.customer and self._wanted.is_hub_right(hub)
        }
        needed = {tenant.home_region}
        subscriptions = {
            row.fact.subscription_id: row.fact for row in await context.subscriptions.list(integration.id)
        }
        watched = {key for key, row in subscriptions.items() if row.watched}
        self._check_subscriptions(tenant, subscriptions, ready, by_place)
        alerts = await context.alert_exports.list(integration.id)
        for key in sorted(watched):
            expected = self._wanted.of_alerts(tenant, self._world.subscriptions[key], ready)
            if key in alerts:
                self._compare(expected, alerts[key].upkeep, by_place)
            else:
                self._wrong.append(f"{expected.where}: nothing is known of it")
        for key in sorted(alerts.keys() - watched):
            self._check_withdrawn(f"{key} alerts", alerts[key].upkeep, subscriptions.get(key))
        needed |= await self._check_resources(integration, tenant, subscriptions, ready, by_place)
        if tenant.workspace_id:
            row = (await context.workspaces.read(integration.id, tenant.workspace_id)).fact
            if row.region:
                needed.add(row.region)
            expected = self._wanted.of_workspace(tenant, ready)
            self._compare(expected, row.upkeep, by_place)
            rules = self._world.exports.get(tenant.workspace_id.lower(), {})
            if expected.possible and len(rules.keys() & {RULE, OLDER}) > 1:
                self._wrong.append(f"{tenant.workspace_id} has two rules of ours")
        kept = {
            row.fact.listed.region
            for row in await context.resources.list(integration.id)
            if row.fact.upkeep.kept
        }
        unneeded = {region for region, customer in hubs if customer == tenant.customer} - needed - kept
        # Where nothing can be listed, nobody can tell that a hub is not needed.
        if self._drained and unneeded and watched:
            self._wrong.append(f"hubs that nobody needs: {sorted(unneeded)}")
        for region in sorted(needed - ready.keys()):
            hub = hubs.get((region, tenant.customer))
            self._wrong.append(f"hub in {region}: {hub.state if hub else 'not assigned'}, or not as wanted")
        self._check_open(by_place, set(subscriptions) - watched)

    def _check_open(self, by_place: dict[str, list[Problem]], unwatched: set[str]) -> None:
        """What is open is open at something that is looked after, or below what is not."""
        for place in sorted(by_place.keys() - self._places):
            if not any(key in place for key in unwatched):
                self._wrong.append(f"open at {place}: {[each.reason.value for each in by_place[place]]}")

    def _check_subscriptions(
        self,
        tenant: Tenant,
        rows: dict[str, SubscriptionRow],
        ready: dict[str, str],
        by_place: dict[str, list[Problem]],
    ) -> None:
        order = sorted(
            (row.delegated_since, row.first_seen, key)
            for key, row in rows.items()
            if row.delegated_since is not None
        )
        within = {key for *_, key in order[: tenant.cap]}
        for key in tenant.subscriptions:
            subscription, row = self._world.subscriptions[key], rows.get(key)
            watched = row is not None and row.watched
            wanted = bool(subscription.delegations) and subscription.state == "Enabled" and key in within
            if wanted != watched:
                self._wrong.append(f"subscription {key} is watched: {watched}")
            if row is not None:
                expected = self._wanted.of_subscription(tenant, subscription, ready)
                if wanted:
                    self._compare(expected, row.upkeep, by_place)
                else:
                    self._compare_uncovered(key, row.upkeep, by_place)

    async def _check_resources(
        self,
        integration: Integration,
        tenant: Tenant,
        subscriptions: dict[str, SubscriptionRow],
        ready: dict[str, str],
        by_place: dict[str, list[Problem]],
    ) -> set[str]:
        watched = {key for key, row in subscriptions.items() if row.watched}
        rows = {
            row.fact.listed.id.lower(): row.fact for row in await self._context.resources.list(integration.id)
        }
        there = self._wanted.resources_of(tenant, watched)
        for key, row in rows.items():
            if row.listed.subscription_id not in watched:
                self._check_withdrawn(key, row.upkeep, subscriptions.get(row.listed.subscription_id))
                continue
            if key not in there and row.upkeep.coverage is not Coverage.GONE:
                self._wrong.append(f"{key} is {row.upkeep.coverage}, and is not there")
        regions: set[str] = set()
        for key in sorted(there):
            resource = self._world.resources[key]
            regions.add(resource.location)
            if key not in rows:
                self._wrong.append(f"{key} is not known")
                continue
            if rows[key].listed.region != resource.location:
                self._wrong.append(f"{key} is in {resource.location}, not {rows[key].listed.region}")
            self._compare(self._wanted.of_resource(tenant, key, ready), rows[key].upkeep, by_place)
        return regions

    def _compare(self, expected: Expected, upkeep: Upkeep, by_place: dict[str, list[Problem]]) -> None:
        place = expected.where.lower()
        if expected.possible and not expected.standing:
            self._wrong.append(f"{place} is not as wanted in Azure; its row: {upkeep}")
        if (upkeep.coverage is Coverage.CONFIGURED) != expected.standing:
            self._wrong.append(f"{place} stands: {expected.standing}; its row: {upkeep}")
        if upkeep.coverage is Coverage.CONFIGURED:
            if upkeep.reason is not None:
                self._wrong.append(f"{place} is configured and has a reason")
        else:
            self._compare_uncovered(place, upkeep, by_place)
        self._places.add(place)
        if upkeep.coverage is Coverage.CONFIGURED and by_place.get(place):
            self._wrong.append(f"{place} is configured; open: {[each.reason for each in by_place[place]]}")

    def _compare_uncovered(self, place: str, upkeep: Upkeep, by_place: dict[str, list[Problem]]) -> None:
        self._places.add(place)
        if upkeep.coverage not in _UNCOVERED or upkeep.reason is None:
            self._wrong.append(f"{place} is {upkeep.coverage}, reason {upkeep.reason}")
            return
        reasons = [each.reason for each in by_place.get(place, [])]
        if reasons != [upkeep.reason]:
            self._wrong.append(f"{place}: {upkeep.reason} in the row, but problems {reasons}")
        if upkeep.reason in (Reason.UNREACHABLE, Reason.THROTTLED, Reason.KEEPS_NOTHING):
            self._wrong.append(f"{place}: still {upkeep.reason}")

    def _check_withdrawn(self, place: str, upkeep: Upkeep, owner: SubscriptionRow | None) -> None:
        """What is in a subscription that is not watched says why, and nothing better."""
        reason = owner.upkeep.reason if owner is not None else None
        if upkeep.kept and (upkeep.coverage, upkeep.reason) != (Coverage.BLOCKED, reason):
            self._wrong.append(f"{place} is {upkeep.coverage} {upkeep.reason}; its subscription: {reason}")
