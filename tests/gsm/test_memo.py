"""What is read once is kept, but never more of it than was said."""

import pytest

from smsd.gsm.memo import memo


def test_what_is_there_is_not_read_again() -> None:
    asked: list[int] = []

    def read(key: int) -> str:
        asked.append(key)
        return str(key)

    known = memo(read, 2)
    assert [known[1], known[1], known[2], known[1]] == ["1", "1", "2", "1"]
    assert asked == [1, 2]


@pytest.mark.parametrize("most", [1, 2, 5])
def test_it_begins_anew_before_it_holds_too_much(most: int) -> None:
    known = memo(str, most)
    for key in range(3 * most):
        assert known[key] == str(key)
        assert len(known) == key % most + 1


def test_what_cannot_be_read_is_not_kept() -> None:
    known = memo(int, 2)
    for _ in range(2):
        with pytest.raises(ValueError, match="invalid literal"):
            known["x"]
    assert not known
