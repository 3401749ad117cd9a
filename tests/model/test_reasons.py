"""Every reason tells a person what is wrong and who mends it."""

import re

import pytest

from shared.model.reasons import EXPLANATIONS, Reason


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_an_explanation(reason: Reason) -> None:
    explanation = EXPLANATIONS[reason]
    assert explanation.summary.endswith(".")
    assert len(explanation.summary.split()) >= 5
    assert len(explanation.remedy.split()) >= 5


def test_no_two_reasons_say_the_same() -> None:
    assert len({explanation.summary for explanation in EXPLANATIONS.values()}) == len(Reason)


@pytest.mark.parametrize("reason", Reason)
def test_a_reason_is_a_word_that_can_stand_in_json_and_in_a_table(reason: Reason) -> None:
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", reason.value)


def test_nothing_is_explained_that_is_no_reason() -> None:
    assert set(EXPLANATIONS) == set(Reason)
