"""`make run`: Azurite, the simulated Azure and the Functions host with the app, up until Ctrl-C."""

import argparse
import asyncio
import shutil
import signal
import sys

from local.azure.control import AzureControl
from local.azure.estate import Customer
from local.azurite import ROOT
from local.process import NotReadyError
from local.stack import Stack

LOGS = ROOT / "build" / "logs" / "run"

_LOOK_SECONDS = 1.0
_SUBSCRIPTIONS = 5


def main(arguments: list[str]) -> int:
    """Run until Ctrl-C: 0 then, 1 if a part cannot be started or ends by itself."""
    parser = argparse.ArgumentParser(prog="python -m local run", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="what the simulated Azure draws from")
    options = parser.parse_args(arguments)
    shutil.rmtree(LOGS, ignore_errors=True)
    try:
        with Stack(LOGS, seed=options.seed) as stack:
            print("Starting Azurite, the simulated Azure and the Functions host ...", flush=True)
            stack.start_azurite()
            stack.start_azure()
            stack.start_host()
            return asyncio.run(_stay(stack))
    except NotReadyError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0


async def _stay(stack: Stack) -> int:
    async with AzureControl(stack.azure_url) as azure:
        await azure.subscribe(stack.event_grid_url)
        customer = await azure.add_customer("contoso", _SUBSCRIPTIONS)
    print(_how_to(stack, customer), flush=True)
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    while all(child.running for child in stack.children) and stack.azurite.running:
        try:
            await asyncio.wait_for(stop.wait(), _LOOK_SECONDS)
        except TimeoutError:
            continue
        print("\nStopping ...", flush=True)
        return 0
    print(f"A part ended by itself; the logs are in {LOGS}", file=sys.stderr)
    return 1


def _how_to(stack: Stack, customer: Customer) -> str:
    header = f"-H 'x-functions-key: {stack.function_key}'"
    body = f'{{"customer": "{customer.name}", "tenantId": "{customer.tenant_id}"}}'
    control = f"{stack.azure_url}/_control"
    scenario = f'{{"scenario": "mixed", "subscriptionId": "{customer.delegated[0]}", "count": 5}}'
    return f"""
The API is at {stack.host_url}/api and takes the key below. The customer {customer.name} of the simulated
Azure has delegated {len(customer.delegated)} subscriptions.

Onboard it:
  curl -X POST {stack.host_url}/api/integrations {header} -d '{body}'

Look at it (its subscriptions: /api/integrations/<id>/subscriptions):
  curl {stack.host_url}/api/integrations {header}
  curl {stack.host_url}/api/integrations/<id> {header}

Let something happen in a subscription:
  curl -X POST {control}/play -d '{scenario}'

Storage (blobs `condensed` and `set-aside`, queue `condensed-ready`), for any Azure storage tool:
  {stack.azurite.connection_string}

Logs: {LOGS}
Stop: Ctrl-C"""
