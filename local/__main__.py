"""`python -m local NAME`: the demo, the stand-ins, and the command line."""

import importlib
import sys

from local.loopback import reach_loopback_directly

COMMANDS = {
    "demo": "the main job, from nothing, on this machine",
    "run": "the same parts, up until Ctrl-C",
    "condense": "condense activity logs of your own",
    "host": "the Functions host alone",
    "azure": "the simulated Azure alone",
}

_INTERRUPTED = 130
"""What shells expect of a command that Ctrl-C ended."""


def main(arguments: list[str]) -> int:
    """Hand the arguments to the named command and give back its exit status."""
    if not arguments or arguments[0] not in COMMANDS:
        lines = [f"  python -m local {name:<10} {what}" for name, what in COMMANDS.items()]
        print("usage:", *lines, sep="\n", file=sys.stderr)
        return 2
    reach_loopback_directly()
    try:
        module = importlib.import_module(f"local.{arguments[0]}.main")
        status: int = module.main(arguments[1:])
    except KeyboardInterrupt:
        return _INTERRUPTED
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
