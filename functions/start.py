"""When the app starts: what its operator has to know before the first trigger fails."""

import logging

from shared.settings import wrong_settings

_log = logging.getLogger(__name__)


def tell_wrong_settings() -> None:
    """Name in the log every setting that is missing or wrong.

    The app is imported all the same. Of one that cannot be imported the Functions host shows that it has no
    functions, and not why (azure-functions-python-worker#1165). So each function fails by itself, with the
    same names, and Event Grid keeps delivering until the settings are right.
    """
    wrong = wrong_settings()
    if wrong:
        _log.error("no function can run: %s", wrong)
