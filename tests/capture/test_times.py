from datetime import UTC, datetime

import pytest

from shared.capture.times import UNREADABLE, iso, nanoseconds

SECOND = 1_000_000_000
MOMENT = int(datetime(2019, 10, 24, 0, 13, 46, tzinfo=UTC).timestamp()) * SECOND


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2019-10-24T00:13:46.3554259Z", MOMENT + 355_425_900),
        ("2019-10-24T00:13:46Z", MOMENT),
        ("2019-10-24T00:13:46.123456789Z", MOMENT + 123_456_789),
        ("2019-10-24T00:13:46.1234567891Z", MOMENT + 123_456_789),
        ("2019-10-24T00:13:46", MOMENT),
        ("2019-10-24 00:13:46", MOMENT),
        ("2019-10-24T01:13:46+01:00", MOMENT),
        ("2019-10-23T22:13:46.0-0200", MOMENT),
        ("10/24/2019 12:13:46 AM", MOMENT),
        ("10/24/2019 1:13:46 AM +01:00", MOMENT),
        ("10/24/2019 00:13:46", MOMENT),
        ("2019-10-24T00: 13: 46", MOMENT),
    ],
)
def test_every_spelling_of_a_time_that_azure_uses_is_read(text: str, expected: int) -> None:
    assert nanoseconds(text) == expected


@pytest.mark.parametrize(
    "text",
    ["", "2023-06-15:54:46.8676027Z", "yesterday", "2019-13-24T00:13:46Z", "2019-10-24T77:13:46Z", "٢٠١٩"],
)
def test_a_time_that_cannot_be_read_sorts_last(text: str) -> None:
    assert nanoseconds(text) == UNREADABLE
    assert iso(UNREADABLE) is None


@pytest.mark.parametrize(
    "text", ["0001-01-01T00:00:00+00:01", "9999-12-31T24:00:00-99:99", "9999-12-31 23:59:59"]
)
def test_a_time_that_no_calendar_has_is_not_known(text: str) -> None:
    assert nanoseconds(text) >= UNREADABLE
    assert iso(nanoseconds(text)) is None


def test_the_afternoon_is_told_from_the_morning() -> None:
    noon, midnight = nanoseconds("1/9/2007 12:41:00 PM"), nanoseconds("1/9/2007 12:41:00 AM")
    assert noon - midnight == 12 * 3600 * SECOND


def test_a_time_is_written_with_the_digits_that_azure_gives() -> None:
    assert iso(nanoseconds("2019-10-24T00:13:46.3554259Z")) == "2019-10-24T00:13:46.3554259Z"


@pytest.mark.parametrize(
    "time", ["0001-01-01T00:00:00.0000000Z", "0987-06-05T04:03:02.1000000Z", "1677-01-01T00:00:00.0000001Z"]
)
def test_a_year_is_written_with_four_digits(time: str) -> None:
    assert iso(nanoseconds(time)) == time
