import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from azure.storage.blob.aio import BlobServiceClient

from local.azurite import Azurite
from local.host.functions import StartError
from local.host.schedule import Schedule
from local.host.timer_status import TimerStatus, TimerStatusStore
from tests.local.host.host_harness import RunningHost, environment, still, write_app

APP = """
@app.timer_trigger(arg_name="timer", schedule="*/1 * * * * *")
async def often(timer: func.TimerRequest) -> None:
    report(ran="often", past_due=timer.past_due, at=time.time())


@app.timer_trigger(arg_name="timer", schedule="%YEARLY%", run_on_startup=True)
async def at_start(timer: func.TimerRequest) -> None:
    report(ran="at_start", past_due=timer.past_due)


@app.timer_trigger(arg_name="timer", schedule="%YEARLY%")
async def yearly(timer: func.TimerRequest) -> None:
    report(ran="yearly", past_due=timer.past_due, status=timer.schedule_status)


@app.timer_trigger(arg_name="timer", schedule="*/1 * * * * *")
async def slow(timer: func.TimerRequest) -> None:
    report(ran="slow", event="begin")
    await asyncio.sleep(1.7)
    report(ran="slow", event="end")


@app.timer_trigger(arg_name="timer", schedule="*/1 * * * * *")
async def failing(timer: func.TimerRequest) -> None:
    report(ran="failing")
    raise RuntimeError("failed on purpose")
"""
YEARLY = {"YEARLY": "0 0 0 1 1 *"}


def status_store(service: BlobServiceClient, folder: Path) -> TimerStatusStore:
    return TimerStatusStore(service, hashlib.sha256(str(folder).encode()).hexdigest()[:32])


async def test_timers_run_on_time_at_start_if_asked_and_never_beside_themselves(
    azurite: Azurite, tmp_path: Path
) -> None:
    write_app(tmp_path, APP)
    with RunningHost(tmp_path, environment(azurite, tmp_path, YEARLY)) as host:
        ticks = await host.wait_for(4, ran="often")
        assert [tick["past_due"] for tick in ticks[:4]] == [False] * 4
        # Just after a full second, never before it.
        assert all(tick["at"] % 1 < 0.5 for tick in ticks)
        assert len({int(tick["at"]) for tick in ticks}) == len(ticks)

        await host.wait_for(4, ran="slow")
        events = [item["event"] for item in host.reports(ran="slow")]
        assert events[:4] == ["begin", "end", "begin", "end"]

        assert len(await host.wait_for(2, ran="failing")) >= 2
        assert "RuntimeError: failed on purpose" in host.log

        assert host.reports(ran="at_start") == [{"ran": "at_start", "past_due": False}]
        assert host.reports(ran="yearly") == []


async def test_a_moment_missed_while_no_host_was_up_is_made_up_once_and_marked(
    azurite: Azurite, tmp_path: Path
) -> None:
    write_app(tmp_path, APP)
    now = datetime.now(UTC)
    last = now - timedelta(days=400)
    async with BlobServiceClient.from_connection_string(azurite.connection_string) as service:
        store = status_store(service, tmp_path)
        await store.write("yearly", TimerStatus(last=last, following=now, updated=last))
        with RunningHost(tmp_path, environment(azurite, tmp_path, YEARLY)) as host:
            (run,) = await host.wait_for(ran="yearly")
            assert run["past_due"] is True
            assert run["status"]["Last"] == last.isoformat()
            assert await still(lambda: len(host.reports(ran="yearly")) == 1, 0.5)
        kept = await store.read("yearly")
        assert kept is not None
        assert kept.last is not None
        assert kept.last >= now
        assert kept.following.year == now.year + 1


async def test_a_timer_that_missed_nothing_waits(azurite: Azurite, tmp_path: Path) -> None:
    write_app(tmp_path, APP)
    settings = environment(azurite, tmp_path, YEARLY)
    for _ in range(2):
        with RunningHost(tmp_path, settings) as host:
            await host.wait_for(ran="at_start")
    assert host.reports(ran="yearly") == []


@pytest.mark.parametrize(
    ("expression", "after", "due"),
    [
        ("*/30 * * * * *", "2026-03-01T10:00:00", "2026-03-01T10:00:30"),
        ("0 */5 * * * *", "2026-03-01T10:00:00", "2026-03-01T10:05:00"),
        ("*/5 * * * *", "2026-03-01T10:00:01", "2026-03-01T10:05:00"),
        ("15 30 9 * * MON-FRI", "2026-03-06T12:00:00", "2026-03-09T09:30:15"),
        ("0 0 0 1 Jan *", "2026-03-06T12:00:00", "2027-01-01T00:00:00"),
        # Both the day of the month and the day of the week must fit: Friday the 13th.
        ("0 0 0 13 * 5", "2026-01-01T00:00:00", "2026-02-13T00:00:00"),
    ],
)
def test_a_schedule_finds_the_next_moment(expression: str, after: str, due: str) -> None:
    schedule = Schedule.parse("f", expression)
    found = schedule.after(datetime.fromisoformat(after).replace(tzinfo=UTC))
    assert found == datetime.fromisoformat(due).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "* * * *",
        "* * * * * * *",
        "60 * * * * *",
        "0 0 0 * * 7",
        "0 0 0 L * *",
        "0 0 0 * * L5",
        "0 0 0 * * 5#2",
        "0 0 0 ? * *",
        "0 0 0 * H *",
        "@daily",
        "00:05:00",
        "0 0 0 * * Someday",
    ],
)
def test_what_the_cloud_would_not_take_as_a_schedule_is_refused(expression: str) -> None:
    with pytest.raises(StartError, match="function nightly"):
        Schedule.parse("nightly", expression)


def test_a_schedule_that_never_comes_is_an_error() -> None:
    schedule = Schedule.parse("f", "0 0 0 30 2 *")
    with pytest.raises(StartError, match="never comes"):
        schedule.after(datetime(2026, 1, 1, tzinfo=UTC))
