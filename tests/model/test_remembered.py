from shared.model.remembered import remembered


def test_what_is_given_for_short_texts_is_remembered_and_for_long_ones_it_is_worked_out_anew() -> None:
    asked: list[str] = []

    @remembered(2)
    def length(text: str) -> int:
        asked.append(text)
        return len(text)

    short, long = "x" * 64, "y" * 65
    assert [length(text) for text in (short, long, short, long)] == [64, 65, 64, 65]
    assert asked == [short, long, long]


def test_of_many_short_texts_the_last_ones_are_remembered() -> None:
    asked: list[str] = []

    @remembered(2)
    def itself(text: str) -> str:
        asked.append(text)
        return text

    for text in ("a", "b", "c", "b", "c", "a"):
        assert itself(text) == text
    assert asked == ["a", "b", "c", "a"]
