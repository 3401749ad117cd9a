"""Index one app and print its functions as JSON: `python -m local.host.describe FOLDER`.

Exit status 1, with the worker library's message on standard error, if the app is refused.
"""

import asyncio
import contextlib
import json
import sys
from pathlib import Path

from local.host.functions import AppRejectedError, to_json
from local.host.worker import Worker


def main(arguments: list[str]) -> int:
    """Print the functions of the app in the folder that is the only argument."""
    (folder,) = arguments
    try:
        # The app may print while it is imported; standard output is for the answer.
        with contextlib.redirect_stdout(sys.stderr):
            worker = asyncio.run(Worker.load(Path(folder)))
    except AppRejectedError as error:
        print(error, file=sys.stderr)
        return 1
    print(json.dumps(to_json(worker.functions)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
