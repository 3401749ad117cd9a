"""The demo as a newcomer runs it."""

import asyncio
import os
import re
import sys

from local.azurite import ROOT

_METRICS = (
    "subscriptions",
    "configured",
    "not configured, and why",
    "entries in",
    "condensed",
    "passed through",
    "duplicates",
    "set aside",
    "parked",
)
_MOST_SECONDS = 170.0


async def test_the_demo_shows_its_table_and_record_and_all_its_claims_hold() -> None:
    command = [sys.executable, "-m", "local", "demo", "--seed", "11"]
    running = await asyncio.create_subprocess_exec(
        *command,
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, "COLUMNS": "120"},
    )
    try:
        async with asyncio.timeout(_MOST_SECONDS):
            output, _ = await running.communicate()
    finally:
        if running.returncode is None:
            running.terminate()
            await running.wait()

    text = output.decode()
    assert running.returncode == 0, text[-3000:]
    for metric in _METRICS:
        assert len(re.findall(rf"^\W*{re.escape(metric)} *│", text, re.MULTILINE)) == 1, metric
    assert re.search(r"│ +contoso │ +fabrikam │|┃ +contoso ┃ +fabrikam ┃", text)
    assert "One condensed record in full" in text
    assert '"azure_activity_administrative_condensed": {' in text
    claims = re.findall(r"^ *(holds|FAILS) ", text, re.MULTILINE)
    assert len(claims) >= 15
    assert set(claims) == {"holds"}
    assert f"all {len(claims)} claims hold" in text
