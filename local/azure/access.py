"""Who may do what: tokens, delegation, roles, linked scopes, disabled subscriptions.

Error texts: contracts of Azure Resource Manager as seen in public bug reports; the wrong-issuer text is
what ARM says of a subscription in a tenant that the caller's token is not for.
"""

from collections.abc import Callable

from local.azure.http import Refusal
from local.azure.roles import allows
from local.azure.scopes import group_of, subscription_of
from local.azure.world import Delegation, Principal, Subscription, World

LIST_KEYS = "Microsoft.EventHub/namespaces/authorizationrules/listkeys/action"
"""What a diagnostic setting needs on the rule that it names."""


def visible(world: World, principal: Principal, subscription: Subscription) -> bool:
    """Whether the principal has any role anywhere in the subscription."""
    if subscription.tenant_id == principal.tenant_id:
        prefix = f"/subscriptions/{subscription.subscription_id.lower()}"
        return any(who == principal.object_id and scope.startswith(prefix) for who, _, scope in world.grants)
    return any(
        who == principal.object_id for d in _delegations(subscription, principal) for who, _ in d.grants
    )


def reader(world: World, principal: Principal, subscription: Subscription) -> Callable[[str, str], bool]:
    """Whether the principal may read resources there: asked with a type and a resource group."""
    prefix = f"/subscriptions/{subscription.subscription_id}".lower()
    granted: list[tuple[str, str]] = []
    if subscription.tenant_id == principal.tenant_id:
        for who, role, scope in world.grants:
            if who == principal.object_id and scope.startswith(prefix):
                granted.append((role, group_of(scope)))
    for delegation in _delegations(subscription, principal):
        roles = [role for who, role in delegation.grants if who == principal.object_id]
        granted += [(role, delegation.group or "") for role in roles]

    def may_read(resource_type: str, group: str) -> bool:
        return principal.unlimited or any(
            where in ("", group.lower()) and allows(role, f"{resource_type}/read") for role, where in granted
        )

    return may_read


def authorize(world: World, principal: Principal, action: str, scope: str) -> None:
    """Let a call through or refuse it.

    Raises:
        Refusal: 404 no such subscription; 401 it is not delegated; 403 no role allows the action.
    """
    if subscription_of(scope):
        _enter(world, principal, subscription_of(scope))
        if not may(world, principal, action, scope):
            raise _forbidden(principal, action, scope)


def authorize_listing(
    world: World, principal: Principal, action: str, scope: str
) -> Callable[[str, str], bool]:
    """Let a listing through that shows whatever the caller may read; gives back what that is, as `reader`.

    Raises:
        Refusal: 404 no such subscription; 401 it is not delegated; 403 there is no role at all.
    """
    subscription = _enter(world, principal, subscription_of(scope))
    if not principal.unlimited and not visible(world, principal, subscription):
        raise _forbidden(principal, action, scope)
    return reader(world, principal, subscription)


def _enter(world: World, principal: Principal, subscription_id: str) -> Subscription:
    subscription = world.subscriptions.get(subscription_id)
    if subscription is None:
        raise Refusal(
            404, "SubscriptionNotFound", f"The subscription '{subscription_id}' could not be found."
        )
    foreign = subscription.tenant_id != principal.tenant_id and not principal.unlimited
    if foreign and not _delegations(subscription, principal):
        raise _wrong_issuer(principal, subscription)
    return subscription


def may(world: World, principal: Principal, action: str, scope: str) -> bool:
    """Whether a role of the principal allows the action over the scope."""
    if principal.unlimited:
        return True
    subscription = world.subscriptions.get(subscription_of(scope))
    if subscription is None:
        return False
    if subscription.tenant_id == principal.tenant_id:
        wanted = scope.lower() + "/"
        return any(
            who == principal.object_id and wanted.startswith(granted + "/") and allows(role, action)
            for who, role, granted in world.grants
        )
    return any(
        who == principal.object_id and allows(role, action)
        for delegation in _delegations(subscription, principal)
        if delegation.group is None or delegation.group == group_of(scope)
        for who, role in delegation.grants
    )


def authorize_linked(
    world: World, principal: Principal, action: str, scope: str, linked: str, *, wanted: str = LIST_KEYS
) -> None:
    """Hold a write that points to another resource to the right to use that resource.

    Args:
        world: who has which rights.
        principal: who writes.
        action: what it may do on the scope.
        scope: what is written.
        linked: what that points to.
        wanted: what it must be allowed to do with it.

    Raises:
        Refusal: 403 LinkedAuthorizationFailed.
    """
    begin = (
        f"The client '{principal.client_id}' with object id '{principal.object_id}' has permission to "
        f"perform action '{action}' on scope '{scope}'; however, "
    )
    if principal.unlimited:
        return
    target = world.subscriptions.get(subscription_of(linked))
    if target and target.tenant_id != principal.tenant_id and not _delegations(target, principal):
        raise Refusal(
            403,
            "LinkedAuthorizationFailed",
            f"{begin}the current tenant '{principal.tenant_id}' is not authorized to access linked "
            f"subscription '{target.subscription_id}'.",
        )
    if not may(world, principal, wanted, linked):
        raise Refusal(
            403,
            "LinkedAuthorizationFailed",
            f"{begin}it does not have permission to perform action '{wanted}' on the linked scope(s) "
            f"'{linked}' or the linked scope(s) are invalid.",
        )


def check_registered(subscription: Subscription, provider: str) -> None:
    """Hold a write to a registered resource provider.

    Raises:
        Refusal: 409 MissingSubscriptionRegistration.
    """
    if provider.lower() not in subscription.providers:
        raise Refusal(
            409,
            "MissingSubscriptionRegistration",
            f"The subscription is not registered to use namespace '{provider}'. "
            "See https://aka.ms/rps-not-found for how to register subscriptions.",
        )


def check_writable(world: World, subscription_id: str) -> None:
    """Hold writes to subscriptions that are not read-only.

    Raises:
        Refusal: 409 ReadOnlyDisabledSubscription.
    """
    subscription = world.subscriptions.get(subscription_id)
    if subscription and subscription.state == "Disabled":
        raise Refusal(
            409,
            "ReadOnlyDisabledSubscription",
            f"The subscription '{subscription.subscription_id}' is disabled and therefore marked as read "
            "only. You cannot perform any write actions on this subscription until it is re-enabled.",
        )


def _delegations(subscription: Subscription, principal: Principal) -> list[Delegation]:
    return [d for d in subscription.delegations if d.tenant_id == principal.tenant_id]


def _forbidden(principal: Principal, action: str, scope: str) -> Refusal:
    return Refusal(
        403,
        "AuthorizationFailed",
        f"The client '{principal.client_id}' with object id '{principal.object_id}' does not have "
        f"authorization to perform action '{action}' over scope '{scope}' or the scope is invalid. "
        "If access was recently granted, please refresh your credentials.",
    )


def _wrong_issuer(principal: Principal, subscription: Subscription) -> Refusal:
    login, issuer = "https://login.windows.net", "https://sts.windows.net"
    return Refusal(
        401,
        "InvalidAuthenticationTokenTenant",
        f"The access token is from the wrong issuer '{issuer}/{principal.tenant_id}/'. It must match the "
        f"tenant '{issuer}/{subscription.tenant_id}/' associated with this subscription. Please use the "
        f"authority (URL) '{login}/{subscription.tenant_id}' to get the token.",
        headers={
            "WWW-Authenticate": f'Bearer authorization_uri="{login}/{subscription.tenant_id}", '
            'error="invalid_token", error_description="The access token is from the wrong issuer."'
        },
    )
