"""What the fuzzer found worth keeping: each input reaches something that no other does, or failed once."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fuzz.oracles import check_body, check_file

_CORPUS = Path(__file__).parent / "corpus"


@pytest.mark.parametrize(("target", "check"), [("file", check_file), ("body", check_body)])
def test_what_was_found_passes_all_checks(target: str, check: Callable[[bytes], None]) -> None:
    paths = sorted((_CORPUS / target).iterdir())
    assert paths
    for path in paths:
        try:
            check(path.read_bytes())
        except Exception as error:
            error.add_note(f"the input is {target}/{path.name}")
            raise
