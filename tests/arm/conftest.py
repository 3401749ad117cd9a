"""A connection to a simulated Azure with one customer in it."""

from collections.abc import AsyncIterator

import pytest
from azure.identity.aio import ManagedIdentityCredential

from local.azure.estate import add_customer
from shared.arm.connection import Arm
from tests.arm.scene import Scene
from tests.helpers.facts import PROVIDER_SUBSCRIPTION
from tests.helpers.lab import identity_endpoint, simulated_azure


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    """The credential is the real one; nothing but the endpoints is simulated."""
    async with simulated_azure() as (azure, server, _):
        customer = add_customer(azure.world, "contoso", 3)
        with identity_endpoint(server):
            credential = ManagedIdentityCredential()
        async with credential, Arm(server.url, credential, PROVIDER_SUBSCRIPTION) as arm:
            yield Scene(azure, arm, customer, server.url)
