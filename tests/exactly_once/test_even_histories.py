"""However files are split, late, repeated or cut off, all comes out as from one pass: the even seeds."""

from tests.helpers.exact_report import assert_exact


def test_what_comes_out_is_what_one_pass_over_everything_gives(seed: int) -> None:
    assert_exact(seed)
