"""What the demo makes of its claims; the demo itself is a check of its own."""

import pytest

from local.demo.checks import Claim
from local.demo.main import _conclude
from local.demo.narrator import Narrator, TooSlowError
from local.demo.report import show_claims

_HOLDS = Claim("nothing is parked", holds=True)
_FAILS = Claim("each file was announced once", holds=False, seen="[] != ['a']")


@pytest.mark.parametrize(
    ("claims", "succeeds", "words"),
    [([_HOLDS], True, "all 1 claims hold"), ([_HOLDS, _FAILS], False, "1 of 2 claims fail")],
)
def test_the_demo_succeeds_only_if_all_its_claims_hold(
    claims: list[Claim], *, succeeds: bool, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _conclude(Narrator(), claims) is succeeds
    assert words in capsys.readouterr().out


def test_a_claim_that_fails_is_shown_with_what_was_there_instead(capsys: pytest.CaptureFixture[str]) -> None:
    show_claims(Narrator().console, [_HOLDS, _FAILS])

    shown = capsys.readouterr().out
    assert "holds  nothing is parked" in shown
    assert "FAILS  each file was announced once" in shown
    assert "[] != ['a']" in shown


async def test_what_does_not_happen_in_time_ends_the_demo_with_what_was_there() -> None:
    async def look() -> tuple[int, int, str]:
        return 3, 12, "one hub preparing"

    with pytest.raises(TooSlowError, match=r"configured: 3 of 12 after 0 s; one hub preparing"):
        await Narrator().follow("configured", look, 0.0)
