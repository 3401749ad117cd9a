"""Subscriptions: `GET /subscriptions` and one of them, api-version 2022-12-01.

learn.microsoft.com/rest/api/resources/subscriptions
"""

from azure.mgmt.resource.subscriptions.models import Subscription as SdkSubscription

from shared.arm.connection import Arm
from shared.arm.errors import NotFoundError, UnavailableError
from shared.arm.refusals import arm_errors
from shared.model.ids import normal_guid
from shared.model.subscription import ListedSubscription


async def list_subscriptions(arm: Arm) -> list[ListedSubscription]:
    """Every subscription that our identity may see, of all customers, and our own.

    The list is complete or there is none: if any page fails, it raises.

    Raises:
        ArmError: a page could not be had, or an item of it has no proper ids.
    """
    with arm_errors():
        items = [item async for item in arm.subscriptions.subscriptions.list()]
    try:
        return [_to_model(item) for item in items]
    except ValueError as error:
        raise UnavailableError(f"a listing that cannot be read: {error}") from error


async def get_subscription(arm: Arm, subscription_id: str) -> ListedSubscription | None:
    """One subscription, or None if there is none.

    Raises:
        NotDelegatedError: its tenant does not let us in.
        ArmError: Azure refused or did not answer.
    """
    try:
        with arm_errors():
            item = await arm.subscriptions.subscriptions.get(subscription_id)
        return _to_model(item)
    except NotFoundError:
        return None
    except ValueError as error:
        raise UnavailableError(f"a subscription that cannot be read: {error}") from error


def _to_model(item: SdkSubscription) -> ListedSubscription:
    policies = item.subscription_policies
    return ListedSubscription(
        subscription_id=normal_guid(item.subscription_id or ""),
        # In the REST model `tenantId` is the subscription's home tenant.
        tenant_id=normal_guid(item.tenant_id or ""),
        name=item.display_name or "",
        state=str(getattr(item.state, "value", item.state) or ""),
        quota_id=(policies.quota_id if policies is not None else None) or "",
        managed_by=frozenset(
            tenant.tenant_id.lower() for tenant in item.managed_by_tenants or () if tenant.tenant_id
        ),
    )
