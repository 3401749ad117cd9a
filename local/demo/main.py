"""`make demo`: onboard two customers, provision, collect and correlate; then check every claim."""

import argparse
import asyncio
import shutil
import sys
from collections import Counter

from local.app_client import AppClient
from local.azure.control import AzureControl
from local.azurite import ROOT
from local.demo.checks import Claim, Record, Result, claims
from local.demo.narrator import Narrator, TooSlowError
from local.demo.report import show_claims, show_record, show_table
from local.demo.scene import CustomerScene, act, delegate, entries_sent, make_customers, register
from local.process import NotReadyError
from local.stack import Stack

LOGS = ROOT / "build" / "logs" / "demo"

_PROVISIONING_SECONDS = 60.0
_COLLECTING_SECONDS = 60.0
_JUDGEMENTS = 15
_JUDGEMENT_SECONDS = 2.0


def main(arguments: list[str]) -> int:
    """Run the demo; 0 if all its claims hold, 1 if not, 2 for wrong usage."""
    parser = argparse.ArgumentParser(prog="python -m local demo", description=__doc__)
    parser.add_argument("--seed", type=int, default=7, help="what happens in the simulated Azure")
    options = parser.parse_args(arguments)
    shutil.rmtree(LOGS, ignore_errors=True)
    narrator = Narrator()
    try:
        with Stack(LOGS, seed=options.seed) as stack:
            holds = asyncio.run(_demo(narrator, stack))
    except (TooSlowError, NotReadyError) as error:
        narrator.say(f"[red]failed:[/red] {error}")
        print(f"The logs are in {LOGS}.", file=sys.stderr)
        return 1
    return 0 if holds else 1


async def _demo(narrator: Narrator, stack: Stack) -> bool:
    await _start(narrator, stack)
    storage = stack.azurite.connection_string
    async with (
        AzureControl(stack.azure_url) as azure,
        AppClient(stack.host_url, stack.function_key, storage) as app,
    ):
        await azure.subscribe(stack.event_grid_url)
        customers = await make_customers(azure)
        await _onboard(narrator, azure, app, customers)
        await _provision(narrator, app, customers)
        await _collect(narrator, azure, app, customers)
        results, found = await _judge(azure, app, customers)
    narrator.console.print()
    show_table(narrator.console, results)
    show_record(narrator.console, results)
    show_claims(narrator.console, found)
    return _conclude(narrator, found)


async def _start(narrator: Narrator, stack: Stack) -> None:
    for what, start in (
        ("Azurite, the storage emulator", stack.start_azurite),
        ("the simulated Azure", stack.start_azure),
        ("the Functions host with the app", stack.start_host),
    ):
        narrator.say(f"starting {what}")
        await asyncio.to_thread(start)


async def _onboard(
    narrator: Narrator, azure: AzureControl, app: AppClient, customers: list[CustomerScene]
) -> None:
    for customer in customers:
        await register(app, customer)
        narrator.say(f"registered {customer.name}; the customer runs:")
        narrator.console.print(f"            {customer.command}", style="dim", markup=False)
        await delegate(azure, customer)


async def _provision(narrator: Narrator, app: AppClient, customers: list[CustomerScene]) -> None:
    async def look() -> tuple[int, int, str]:
        seen = [await app.integration(customer.integration_id) for customer in customers]
        states = Counter(hub["state"] for each in seen for hub in each["hubs"])
        hubs = "hubs: " + ", ".join(f"{number} {state}" for state, number in sorted(states.items()))
        configured = sum(each["counts"]["subscriptions"]["configured"] for each in seen)
        return configured, sum(len(customer.watched) for customer in customers), hubs

    await narrator.follow("subscriptions configured", look, _PROVISIONING_SECONDS)


async def _collect(
    narrator: Narrator, azure: AzureControl, app: AppClient, customers: list[CustomerScene]
) -> None:
    narrator.say("things happen in the customers' subscriptions: deployments, key vaults, refusals, failures")
    for customer in customers:
        await act(azure, customer)

    async def look() -> tuple[int, int, str]:
        sent = await entries_sent(azure, customers)
        seen = [
            (await app.integration(customer.integration_id))["counts"]["entries"] for customer in customers
        ]
        total = {name: sum(each[name] for each in seen) for name in seen[0]}
        words = f"{total['operations']} records; {total['parked']} entries wait for their rest"
        return total["in"] - total["parked"], sum(sent.values()), words

    await narrator.follow("entries handled", look, _COLLECTING_SECONDS)


async def _judge(
    azure: AzureControl, app: AppClient, customers: list[CustomerScene]
) -> tuple[list[Result], list[Claim]]:
    """Our own upkeep is logged too and never ends, so the claims are given a moment to hold all at once."""
    messages: list[Record] = []
    results: list[Result] = []
    found: list[Claim] = []
    for _ in range(_JUDGEMENTS):
        sent = await entries_sent(azure, customers)
        results = [await _result(app, customer, sent[customer.name]) for customer in customers]
        messages += await app.take_messages()
        found = claims(results, messages)
        if all(claim.holds for claim in found):
            break
        await asyncio.sleep(_JUDGEMENT_SECONDS)
    return results, found


async def _result(app: AppClient, customer: CustomerScene, sent: int) -> Result:
    return Result(
        scene=customer,
        sent=sent,
        integration=await app.integration(customer.integration_id),
        subscriptions=await app.subscriptions(customer.integration_id),
        files=await app.condensed_files(customer.name),
    )


def _conclude(narrator: Narrator, found: list[Claim]) -> bool:
    failed = [claim for claim in found if not claim.holds]
    narrator.console.print()
    if failed:
        narrator.say(f"[red]{len(failed)} of {len(found)} claims fail[/red]; the logs are in {LOGS}")
    else:
        narrator.say(f"[green]all {len(found)} claims hold[/green]")
    return not failed
