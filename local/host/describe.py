"""Index one app and print what it is as JSON: `python -m local.host.describe FOLDER`.

The answer is `{"functions": […]}`, or `{"rejected": message}` if the worker library refuses the app.
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
        print(json.dumps({"rejected": str(error)}))
    else:
        print(json.dumps({"functions": to_json(worker.functions)}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
