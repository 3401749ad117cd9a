"""Timer triggers.

Follows TimerListener of the timers extension (azure-webjobs-sdk-extensions): one run at a time, a run
that fails is logged and the next one comes at its time, moments missed during a run are skipped, and a
timer whose moment passed while no host was up runs once at start, marked as past due.
"""

import asyncio
import json
from datetime import UTC, datetime, timedelta

from local.host.functions import FunctionDescription
from local.host.invoker import Invoker
from local.host.protos import TypedData
from local.host.schedule import Schedule
from local.host.timer_status import TimerStatus, TimerStatusStore

# Timers that come more often are not watched over restarts (TimerListener).
_SHORTEST_MONITORED = timedelta(minutes=1)


def timer_info(*, past_due: bool, status: TimerStatus | None) -> TypedData:
    """The value that a timer function gets."""
    document = {
        "Schedule": {"AdjustForDST": True},
        "ScheduleStatus": None if status is None else status.as_json(),
        "IsPastDue": past_due,
    }
    return TypedData(json=json.dumps(document))


class TimerListener:
    """Runs one function on its schedule.

    Args:
        function: has a timer trigger.
        store: remembers runs over restarts; None if the app has no host storage.

    Raises:
        StartError: the schedule cannot be understood.
    """

    def __init__(
        self, function: FunctionDescription, invoker: Invoker, store: TimerStatusStore | None
    ) -> None:
        self._function = function
        self._invoker = invoker
        self._schedule = Schedule.parse(function.name, str(function.trigger["schedule"]))
        monitor = function.trigger.get("useMonitor", True) and self._is_rare()
        self._store = store if monitor else None

    async def run(self) -> None:
        """Run the function at start if it asks for that or is past due, then whenever it is due."""
        status = await self._first_status()
        past_due = status is not None and self._schedule.after(status.base) <= datetime.now(UTC)
        if past_due or self._function.trigger.get("runOnStartup"):
            await self._invoke(past_due=past_due)
        due = datetime.now(UTC)
        while True:
            # The clock may lag behind the moment for which we slept: never take the same one twice.
            due = self._schedule.after(max(due, datetime.now(UTC)))
            await asyncio.sleep((due - datetime.now(UTC)).total_seconds())
            await self._invoke(past_due=False)

    async def _invoke(self, *, past_due: bool) -> None:
        last = datetime.now(UTC)
        status = None if self._store is None else await self._store.read(self._function.name)
        await self._invoker.run(self._function, timer_info(past_due=past_due, status=status))
        await self._remember(last)

    async def _first_status(self) -> TimerStatus | None:
        if self._store is None:
            return None
        status = await self._store.read(self._function.name)
        if status is None:
            await self._remember(None)
        return status

    async def _remember(self, last: datetime | None) -> None:
        if self._store is not None:
            now = datetime.now(UTC)
            status = TimerStatus(last=last, following=self._schedule.after(now), updated=now)
            await self._store.write(self._function.name, status)

    def _is_rare(self) -> bool:
        first = self._schedule.after(datetime.now(UTC))
        return self._schedule.after(first) - first >= _SHORTEST_MONITORED
