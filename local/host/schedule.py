"""NCRONTAB schedules: six fields, seconds first, in UTC.

The cloud parses them with the library NCrontab. It differs from Unix cron: day of month *and* day of
week must fit, Sunday is 0 and never 7, and there are no `L`, `#`, `?` or `@daily`. Five fields are taken
with second 0. Time spans are refused, as on the Flex Consumption plan.
"""

import re
from datetime import datetime
from typing import Self

from croniter import CroniterError, croniter

from local.host.functions import StartError

_FIELDS_WITH_SECONDS = 6
_FIELDS_WITHOUT_SECONDS = 5
_NUMBERS = re.compile(r"[0-9*,/\-]+")
_NAMES = re.compile(r"[0-9A-Za-z*,/\-]+")
_STEP = re.compile(r"/\d+")
_DAYS_OF_WEEK = 7


class Schedule:
    """When a timer is due."""

    def __init__(self, expression: str) -> None:
        self._expression = expression

    @classmethod
    def parse(cls, function: str, expression: str) -> Self:
        """Check an expression.

        Raises:
            StartError: NCrontab would not take it; the message names the function.
        """
        fields = expression.split()
        if len(fields) == _FIELDS_WITHOUT_SECONDS:
            fields.insert(0, "0")
        normal = " ".join(fields)
        if not _is_ncrontab(fields) or not croniter.is_valid(normal, second_at_beginning=True):
            raise StartError(f"function {function}: {expression!r} is no six-field NCRONTAB schedule")
        return cls(normal)

    def after(self, moment: datetime) -> datetime:
        """The first moment after this one at which the timer is due.

        Raises:
            StartError: there is none, such as on the 30th of February.
        """
        try:
            due: datetime = croniter(
                self._expression, moment, second_at_beginning=True, day_or=False
            ).get_next(datetime)
        except CroniterError as error:
            raise StartError(f"the schedule {self._expression!r} never comes") from error
        return due


def _is_ncrontab(fields: list[str]) -> bool:
    if len(fields) != _FIELDS_WITH_SECONDS:
        return False
    *numeric, month, weekday = fields
    if not all(_NUMBERS.fullmatch(field) for field in numeric):
        return False
    if not _NAMES.fullmatch(month) or not _NAMES.fullmatch(weekday):
        return False
    # croniter takes single letters such as `L` (last) and 7 (Sunday); NCrontab takes neither.
    if any(len(word) == 1 for word in re.findall(r"[A-Za-z]+", f"{month} {weekday}")):
        return False
    return all(int(day) < _DAYS_OF_WEEK for day in re.findall(r"\d+", _STEP.sub("", weekday)))
