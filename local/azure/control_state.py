"""What stands in the simulated Azure, as the control surface shows it."""

from dataclasses import asdict

from local.azure.app import SimulatedAzure
from local.azure.automations import describe as describe_automation
from local.azure.http import Json
from local.azure.world import World


def state(azure: SimulatedAzure) -> Json:
    """Settings, rules, automations, hubs, captured files, deliveries and faults."""
    world, grid = azure.world, azure.event_grid
    return {
        "settings": _settings(world),
        "exports": _exports(world),
        "automations": {key: describe_automation(one) for key, one in world.automations.items()},
        "namespaces": {
            ns.name: {"location": ns.location, "ready": world.ready(ns)}
            for ns in [world.namespace(name) for name in list(world.namespaces)]
            if ns
        },
        "hubs": _hubs(azure),
        "captured": {"files": len(azure.capture.files), "events": sum(f.events for f in azure.capture.files)},
        "eventGrid": {
            "webhooks": grid.webhooks,
            "pending": grid.pending,
            "delivered": grid.delivered,
            "attempts": grid.attempts,
            "deadLetters": [asdict(letter) for letter in grid.dead_letters],
        },
        "faults": azure.faults.state(),
    }


def _settings(world: World) -> Json:
    return {
        scope: {
            s.name: {"hub": s.hub, "ruleId": s.rule_id, "enabled": sorted(s.enabled)} for s in named.values()
        }
        for scope, named in world.settings.items()
        if named
    }


def _exports(world: World) -> Json:
    return {
        workspace: {
            rule.name: {
                "hub": rule.hub,
                "destination": rule.destination,
                "tables": rule.tables,
                "enabled": rule.enabled,
            }
            for rule in named.values()
        }
        for workspace, named in world.exports.items()
        if named
    }


def _hubs(azure: SimulatedAzure) -> Json:
    stream = azure.stream
    return {
        f"{owner}/{hub.name}": {
            "partitions": hub.partitions,
            "capture": hub.captures,
            "bodies": stream.sent[owner, name],
            "records": stream.records[owner, name],
            "waiting": sum(
                len(partition.events)
                for key, partition in stream.partitions.items()
                if key[:2] == (owner, name)
            ),
        }
        for (owner, name), hub in azure.world.hubs.items()
    }
