"""Azure Policy as far as onboarding needs it: `deployIfNotExists` on subscriptions, a few at a time.

A policy is given as its `policyRule` in JSON, as a deployment sent it. What existed already and what comes
later is treated alike: whatever lacks the wanted object gets the rule's embedded deployment, by the
policy's own identity (learn.microsoft.com/azure/governance/policy/concepts/effect-deploy-if-not-exists).
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from local.azure.app import SimulatedAzure
from local.azure.hands import person
from local.azure.http import Json
from local.azure.world import Subscription

SUBSCRIPTIONS = "Microsoft.Resources/subscriptions"
GROUPS = f"{SUBSCRIPTIONS}/resourceGroups"
_ID_OF = re.compile(r"\[subscriptionResourceId\('([^']+)', *'([^']+)'\)\]")
_REFUSED = 400


@dataclass(frozen=True, slots=True)
class Assignment:
    """A policy that holds for a tenant.

    Attributes:
        name: of the assignment; another of the same name takes its place.
        tenant_id: the customer's.
        rule: `policyRule`.
        excluded: IDs of subscriptions that it does not hold for (`notScopes`).
    """

    name: str
    tenant_id: str
    rule: Json
    excluded: frozenset[str] = frozenset()


class PolicyError(ValueError):
    """The rule is none that is understood here, or its deployment was refused."""


class Policies:
    """The policies of all customers.

    Args:
        azure: where.
    """

    def __init__(self, azure: SimulatedAzure) -> None:
        self._azure = azure
        self._assignments: dict[tuple[str, str], Assignment] = {}

    def assign(self, name: str, tenant_id: str, rule: Json, excluded: Collection[str] = ()) -> None:
        """Let a policy hold for a tenant's subscriptions, those to come included.

        Raises:
            PolicyError: the rule is none that is understood here.
        """
        condition, effect = rule.get("if"), rule.get("then", {}).get("effect")
        if condition != {"field": "type", "equals": SUBSCRIPTIONS} or effect != "deployIfNotExists":
            raise PolicyError(f"not a deployIfNotExists on subscriptions: {condition} {effect}")
        left_out = frozenset(each.lower().removeprefix("/subscriptions/") for each in excluded)
        self._assignments[tenant_id, name] = Assignment(name, tenant_id, rule, left_out)

    def remove(self, name: str, tenant_id: str) -> None:
        """Let a policy hold no longer; what it deployed stays."""
        del self._assignments[tenant_id, name]

    def remediate(self, most: int) -> int:
        """Deploy to subscriptions that lack what a policy wants; gives back how many deployments that took.

        Args:
            most: deployments at a time.

        Raises:
            PolicyError: Azure refused what the rule wants to be deployed.
        """
        done = 0
        for assignment, subscription in list(self._lacking()):
            if done == most:
                break
            self._deploy(assignment, subscription)
            done += 1
        return done

    def _lacking(self) -> Iterator[tuple[Assignment, Subscription]]:
        for assignment in self._assignments.values():
            for subscription in list(self._azure.world.subscriptions.values()):
                mine = subscription.tenant_id == assignment.tenant_id and subscription.state == "Enabled"
                excluded = subscription.subscription_id.lower() in assignment.excluded
                if mine and not excluded and not self._exists(assignment, subscription):
                    yield assignment, subscription

    def _exists(self, assignment: Assignment, subscription: Subscription) -> bool:
        details = assignment.rule["then"]["details"]
        condition = details["existenceCondition"]
        return any(_holds(condition, details["type"], each) for each in self._listed(details, subscription))

    def _listed(self, details: Json, subscription: Subscription) -> list[Json]:
        place = f"/subscriptions/{subscription.subscription_id}"
        kind = str(details["type"])
        path = f"{place}/resourceGroups" if kind == GROUPS else f"{place}/providers/{kind}"
        answer = self._azure.act(person(self._azure.world, subscription.tenant_id), "GET", path)
        found: list[Json] = answer.json()["value"]
        return found

    def _deploy(self, assignment: Assignment, subscription: Subscription) -> None:
        template = assignment.rule["then"]["details"]["deployment"]["properties"]["template"]
        place = f"/subscriptions/{subscription.subscription_id}"
        identity = person(self._azure.world, subscription.tenant_id)
        for resource in template["resources"]:
            kind, name = str(resource["type"]), str(resource["name"])
            is_group = kind == "Microsoft.Resources/resourceGroups"
            path = f"{place}/resourceGroups/{name}" if is_group else f"{place}/providers/{kind}/{name}"
            fields = {key: resource[key] for key in ("location", "properties") if key in resource}
            answer = self._azure.act(identity, "PUT", path, _filled(fields, place))
            if answer.status >= _REFUSED:
                raise PolicyError(f"{answer.status}: {answer.body.decode()}")


def _holds(condition: Json, kind: str, found: Json) -> bool:
    """Whether an object is the wanted one: `equals` and `like`, of the name or of a property by its alias."""
    field = str(condition["field"])
    value = found.get("name") if field == "name" else found["properties"].get(field.removeprefix(f"{kind}/"))
    text = str(value).lower()
    if "equals" in condition:
        return text == str(condition["equals"]).lower()
    if "like" in condition:
        return fnmatchcase(text, str(condition["like"]).lower())
    raise PolicyError(f"a condition of an unknown kind: {condition}")


def _filled(value: Any, place: str) -> Any:  # noqa: ANN401 - any JSON
    """A part of a template with its expressions in place; only `subscriptionResourceId` is known."""
    if isinstance(value, dict):
        return {key: _filled(each, place) for key, each in value.items()}
    if isinstance(value, list):
        return [_filled(each, place) for each in value]
    if isinstance(value, str) and value.startswith("["):
        match = _ID_OF.fullmatch(value)
        if match is None:
            raise PolicyError(f"an expression that is not understood: {value}")
        return f"{place}/providers/{match[1]}/{match[2]}"
    return value
