"""Managed identity as App Service offers it, and the tokens that Resource Manager accepts.

learn.microsoft.com/azure/app-service/overview-managed-identity (REST endpoint reference)
"""

import base64
import json
from datetime import datetime, timedelta

from local.azure.http import Refusal, Request, Response
from local.azure.world import Principal, World

PATH = "/msi/token"
_LIFETIME = timedelta(hours=24)
_RESOURCES = ("https://management.azure.com", "https://management.core.windows.net")


class Identity:
    """Issues tokens and knows them again."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._issued: dict[str, tuple[Principal, datetime]] = {}

    def token(self, request: Request) -> Response:
        """Answer the identity endpoint."""
        query = request.query
        if query.get("api-version") != "2019-08-01":
            return Response.of({"statusCode": 400, "message": "Unsupported api-version."}, 400)
        shown = request.headers.get("x-identity-header", "")
        if not shown or (self._world.identity_header and shown != self._world.identity_header):
            return Response.of({"statusCode": 401, "message": "Invalid secret token header."}, 401)
        principal = self._world.principals.get(query.get("client_id", ""))
        if principal is None:
            return Response.of({"statusCode": 400, "message": "No User Assigned Identity found."}, 400)
        resource = query.get("resource", "")
        if not resource:
            return Response.of({"statusCode": 400, "message": "The resource parameter is missing."}, 400)
        # A cloud's own endpoint is an audience of its Resource Manager, whatever cloud it is.
        audience = _RESOURCES[0] if resource.rstrip("/") == request.host_url else resource
        token, expires = self.issue(principal, audience)
        seconds = str(int(expires.timestamp()))
        answer = {"access_token": token, "expires_on": seconds, "resource": resource, "token_type": "Bearer"}
        return Response.of({**answer, "client_id": principal.client_id})

    def issue(self, principal: Principal, resource: str = _RESOURCES[0]) -> tuple[str, datetime]:
        """A token for a principal, shaped like an unsigned JWT, and when it ends."""
        now = self._world.clock.now()
        expires = now + _LIFETIME
        claims = {
            "aud": resource,
            "iss": f"https://sts.windows.net/{principal.tenant_id}/",
            "exp": int(expires.timestamp()),
            "appid": principal.client_id,
            "oid": principal.object_id,
            "tid": principal.tenant_id,
            "uti": len(self._issued),
        }
        token = ".".join([_encode({"typ": "JWT", "alg": "none"}), _encode(claims), "simulated"])
        if resource.rstrip("/").removesuffix("/.default") in _RESOURCES:
            self._issued[token] = (principal, expires)
        return token, expires

    def principal(self, request: Request) -> Principal:
        """Whose token a call carries.

        Raises:
            Refusal: 401, there is none, or it is not ours, not for Resource Manager, or has ended.
        """
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        if not token:
            raise _unauthorized(
                "AuthenticationFailed",
                "Authentication failed. The 'Authorization' header is missing.",
                "invalid_request",
            )
        issued = self._issued.get(token.strip()) if kind.lower() == "bearer" else None
        if issued is None:
            raise _unauthorized("InvalidAuthenticationToken", "The access token is invalid.")
        principal, expires = issued
        if expires <= self._world.clock.now():
            raise _unauthorized("ExpiredAuthenticationToken", "The access token expiry is in the past.")
        return principal


def _unauthorized(code: str, message: str, error: str = "invalid_token") -> Refusal:
    challenge = (
        'Bearer authorization_uri="https://login.windows.net/", '
        f'error="{error}", error_description="{message}"'
    )
    return Refusal(401, code, message, headers={"WWW-Authenticate": challenge})


def _encode(part: dict[str, object]) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")
