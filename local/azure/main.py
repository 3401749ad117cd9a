"""`python -m local azure`: the simulated Azure as a process of its own."""

import argparse
import asyncio
import json
import logging
import os
import signal
import sys

from local.azure.app import SimulatedAzure
from local.azure.estate import Provider, build_world
from local.azure.server import Server

_STORAGE = "LOCAL_AZURE_STORAGE"
_IDENTITY_HEADER = "LOCAL_AZURE_IDENTITY_HEADER"


def main(arguments: list[str]) -> int:
    """Serve until a signal, or until standard input closes; give back the exit status."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("azure").setLevel(logging.WARNING)
    asyncio.run(_serve(options))
    return 0


async def _serve(options: argparse.Namespace) -> None:
    provider = Provider(
        options.provider_tenant,
        options.provider_subscription,
        options.resource_group,
        options.storage,
    )
    world = build_world(provider, seed=options.seed)
    world.namespace_seconds = options.namespace_seconds
    world.page_size = options.page_size
    world.graph_lag_seconds = options.graph_lag_seconds
    world.identity_header = options.identity_header
    azure = SimulatedAzure(world)
    azure.capture.seconds = options.capture_seconds
    azure.event_grid.time_scale = options.time_scale
    end = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end.set)
    if options.until_stdin_closes:
        await _watch_stdin(end)
    async with Server(azure, port=options.port, latency_seconds=options.latency_ms / 1000) as server:
        ready = {
            "ready": True,
            "url": server.url,
            "identityEndpoint": f"{server.url}/msi/token",
            "clientId": world.app.client_id,
            "objectId": world.app.object_id,
            "storageAccountId": provider.storage_id,
            "captureIdentityId": provider.identity_id,
        }
        print(json.dumps(ready), flush=True)
        await end.wait()


async def _watch_stdin(end: asyncio.Event) -> None:
    """Set the event when standard input closes."""

    class Watcher(asyncio.Protocol):
        def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - how it ended does not matter
            end.set()

    await asyncio.get_running_loop().connect_read_pipe(Watcher, sys.stdin)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local azure", description=__doc__)
    add = parser.add_argument
    add("--port", type=int, default=0, help="0 takes a free one")
    add("--seed", type=int, default=0, help="all chance comes from it")
    add("--provider-tenant", default="10000000-0000-4000-8000-000000000001", help="the managing tenant")
    add("--provider-subscription", default="20000000-0000-4000-8000-000000000002", help="for namespaces")
    add("--resource-group", default="lightkeeper", help="for namespaces, storage account and identity")
    add("--storage", default=os.environ.get(_STORAGE, ""), help=f"connection string; default ${_STORAGE}")
    add(
        "--identity-header",
        default=os.environ.get(_IDENTITY_HEADER, ""),
        help=f"secret of the identity endpoint; empty takes any; default ${_IDENTITY_HEADER}",
    )
    add("--capture-seconds", type=float, default=60.0, help="length of Capture's windows")
    add("--namespace-seconds", type=float, default=30.0, help="how long a namespace takes to come or go")
    add("--latency-ms", type=float, default=0.0, help="least duration of a call")
    add("--graph-lag-seconds", type=float, default=0.0, help="how late Resource Graph shows changes")
    add("--page-size", type=int, default=1000, help="items on a page of a listing")
    add("--time-scale", type=float, default=1.0, help="factor on the waits of Event Grid's retries")
    add("--until-stdin-closes", action="store_true", help="end when standard input closes")
    return parser
