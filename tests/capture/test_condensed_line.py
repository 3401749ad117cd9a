"""The line of a condensed record, against one that is made of dictionaries of fields."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shared.capture.aside import Position
from shared.capture.condense import condense
from shared.capture.decode import numbered
from shared.capture.entries import CONDENSED, START, TERMINAL, Entry
from shared.capture.rawjson import array_text, name_text, object_text, slices_of
from shared.capture.records import records_in
from shared.capture.shapes import PER_ENTRY
from tests.capture.odd_records import RECORDS, SPACINGS, USUAL, Spelling


def slowly(entries: list[Entry]) -> bytes:
    """The line of a condensed record, made of dictionaries of fields."""
    ordered = sorted(entries, key=lambda entry: entry.order)
    base = next((entry for entry in ordered if entry.status == START), ordered[0])
    shared = {name: value for name, value in slices_of(base.raw).items() if name not in PER_ENTRY}
    firsts: dict[str, Entry] = {}
    additional = [entry.raw for entry in ordered if firsts.setdefault(entry.status, entry) is not entry]
    statuses, absent = {}, {}
    for status, entry in firsts.items():
        fields = slices_of(entry.raw)
        statuses[status] = object_text({n: value for n, value in fields.items() if shared.get(n) != value})
        if lacking := [name_text(name) for name in shared if name not in fields]:
            absent[status] = array_text(lacking)
    starts = sum(entry.status == START for entry in ordered)
    ends = [entry.status for entry in ordered if entry.status in TERMINAL]
    facts = {
        "num_correlated_records": str(len(ordered)).encode(),
        "statuses": object_text(statuses),
        **({"additional_records": array_text(additional)} if additional else {}),
        **({"absent": object_text(absent)} if absent else {}),
        "attempts": str(starts).encode(),
        "outcome": name_text(ends[-1] if ends else "unknown"),
        **({} if starts else {"missing": b'["start"]'}),
        "uid": b'"uid"',
        "revision": b"1",
    }
    return object_text({**shared, CONDENSED: object_text(facts)})


def administrative(texts: list[str]) -> list[Entry]:
    """The entries to be combined, of records in a body."""
    body = f'{{"records":[{",".join(texts)}]}}'.encode("utf-8", "replace")
    found = numbered(records_in(body, Position("f")), 7)
    return [one for one in found if isinstance(one, Entry) and one.administrative]


@given(st.lists(st.tuples(USUAL, st.sampled_from(SPACINGS)), min_size=1, max_size=6))
def test_the_line_of_usual_entries_is_byte_for_byte_what_the_slow_way_makes(
    spelled: list[tuple[dict[str, Any], Spelling]],
) -> None:
    entries = administrative([spell(one) for one, spell in spelled])
    assert len(entries) == len(spelled)
    assert condense("uid", 1, entries).line == slowly(entries)


@given(st.lists(RECORDS, min_size=1, max_size=5), st.sampled_from(SPACINGS))
def test_so_is_the_line_of_anything(records: list[dict[str, Any]], spell: Spelling) -> None:
    entries = administrative([*map(spell, records)])
    if entries:
        assert condense("uid", 1, entries).line == slowly(entries)
