"""What the kernel takes for something that it saw before, against the way that reads all of it."""

import json
from collections.abc import Iterator

import pytest

from tests.capture.activity_log import envelope, record
from tests.capture.in_parts import Part, check_parts
from tests.fuzz.handmade import block, header

CLAIMS = json.dumps({f"claim{number}": f"{number}" * 9 for number in range(60)}, separators=(",", ":"))
"""As large as those of a token."""


def records_with(*identities: str) -> bytes:
    """A body of as many Starts and Successes, each with such an identity."""
    some = []
    for number, identity in enumerate(identities):
        for status in ("Start", "Success"):
            empty = json.dumps(record(status, number % 60, correlation=f"c{number}", identity="?"))
            some.append(empty.replace('"?"', identity, 1))
    return ('{"records":[' + ",".join(some) + "]}").encode()


def part_of(*bodies: bytes) -> Part:
    [part] = check_parts(header() + block([*bodies]), most=16 << 20)
    return part


def changed(text: str) -> Iterator[str]:
    """The text with something else, too much or too little, at many places."""
    for place in [*range(0, len(text), 23), *range(len(text) - 3, len(text))]:
        yield text[:place] + "x" + text[place + 1 :]
        yield text[:place] + '"' + text[place:]
        yield text[:place] + text[place + 1 :]


def test_a_large_object_that_stands_there_again_is_read_as_at_first() -> None:
    identity = f'{{"scope":"s","claims":{CLAIMS},"more":1}}'
    part = part_of(records_with(*[identity] * 10), records_with(identity))
    assert [one.arrived for one in part.whole] == [4, *[2] * 9]


def test_one_that_differs_anywhere_is_not_taken_for_it() -> None:
    good = records_with(f'{{"claims":{CLAIMS}}}')
    for claims in changed(CLAIMS):
        assert len(part_of(good, records_with(f'{{"claims":{claims}}}')).whole) == 1


def test_longer_and_shorter_ones_are_told_apart() -> None:
    whole = [
        json.dumps({"a": "x" * size}) for size in (1_000, 1_015, 1_016, 1_017, 4_087, 4_088, 4_089, 9_000)
    ]
    bodies = [records_with(*[f'{{"claims":{claims}}}' for claims in some]) for some in (whole, whole[::-1])]
    assert len(part_of(*bodies, *bodies).whole) == len(whole)


TEXTS = f'["{CLAIMS.replace(chr(34), "-")}"]'
"""An array that is as large."""


@pytest.mark.parametrize(
    "wrong",
    [
        f'{{"a":{{}},{CLAIMS}}}',
        f'{{"a":{{}},{TEXTS}}}',
        f'{{"a":{{"x":1}},{TEXTS}}}',
        f'{{"a":{{"x":1}},"b":{TEXTS},{TEXTS}}}',
        f"{{{CLAIMS}}}",
        f'{{"a":{CLAIMS}{CLAIMS}}}',
        f'{{"a":{CLAIMS}',
        f'{{"a":{CLAIMS}]',
        f'{{"a":{CLAIMS[:-1]}',
    ],
)
def test_it_stands_where_a_value_may_stand_and_nowhere_else(wrong: str) -> None:
    before = [
        f'{{"a":{{"b":{CLAIMS}}}}}',
        f'{{"a":{CLAIMS}}}',
        f"[{{}},{TEXTS},{CLAIMS}]",
        f'[{{"x":1}},{TEXTS},{CLAIMS}]',
        f'{{"a":{{}},"b":{TEXTS}}}',
        f'{{"a":{{"x":1}},"b":{TEXTS}}}',
    ]
    good = records_with(*before, *before)
    assert len(part_of(good).whole) == 12
    assert len(part_of(good, records_with(wrong), good).whole) == 12


def test_more_objects_than_are_remembered_are_told_apart() -> None:
    some = [f'{{"claims":{CLAIMS.replace("claim7", f"claim{number}-")}}}' for number in range(300)]
    assert len(part_of(records_with(*some), records_with(*some)).whole) == 300


def test_names_are_those_that_stand_there_whatever_stood_in_the_record_before() -> None:
    start, usual = record(level="4", last=1), record("Success", 1, level="4", last=1)
    fields = [*usual.items()]
    others = [dict(fields[:place] + fields[place + 1 :]) for place in range(len(fields))]
    others += [dict([*fields[:place], ("new", 1), *fields[place:]]) for place in range(len(fields) + 1)]
    others += [dict(fields[:place]) for place in range(1, len(fields))]
    others += [dict(reversed(fields)), usual]
    part_of(*[envelope(start, other, record("Accept", 2)) for other in others])
    for other in others:
        part_of(envelope(start, other, record("Accept", 2)))


def test_a_name_that_stands_twice_is_seen_although_all_before_it_are_the_usual_ones() -> None:
    usual = json.dumps(record(), separators=(",", ":"))
    for name in record():
        twice = usual[:-1] + f',"{name}":"Start"}}'
        part = part_of(f'{{"records":[{usual},{twice},{usual}]}}'.encode())
        assert not part.whole


@pytest.mark.parametrize("space", [" ", "\t", "  "])
def test_spaces_around_a_usual_name_belong_to_the_entry(space: str) -> None:
    usual = json.dumps(record("Success", 1), separators=(",", ":"))
    start = json.dumps(record("Start"), separators=(",", ":"))
    for place in (usual.index(":"), usual.index(":") + 1, usual.index(",") + 1, 1):
        spaced = usual[:place] + space + usual[place:]
        part = part_of(f'{{"records":[{start},{usual.replace("c1", "c2")},{spaced}]}}'.encode())
        assert len(part.whole) == 1
