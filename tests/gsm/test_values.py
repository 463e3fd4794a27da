"""Values are what `dataclasses` would make of them."""

import copy
import dataclasses
import itertools
import pickle

import pytest

from smsd.gsm import (
    Address,
    Concatenation,
    DataCoding,
    DeliverReport,
    Status,
    Submit,
    SubmitReport,
    UserData,
)
from smsd.gsm.values import dataclass, maker


class _Anything:
    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 0


TIE = Concatenation(1, 2, 1)
SUBMIT = Submit(Address.parse("+33612345678"), UserData.of_text("hello"), reference=7)


@pytest.mark.parametrize("value", [TIE, SUBMIT, DataCoding(8)])
def test_a_value_is_frozen(value: object) -> None:
    assert not hasattr(value, "__dict__")
    for name in [field.name for field in dataclasses.fields(value)]:  # type: ignore[arg-type]
        with pytest.raises(AttributeError, match=f"is frozen: {name} cannot be changed"):
            setattr(value, name, 1)
        with pytest.raises(AttributeError, match="is frozen"):
            delattr(value, name)
    with pytest.raises(AttributeError):
        value.other = 1  # type: ignore[attr-defined]


def test_equality_and_hash_are_by_type_and_fields() -> None:
    assert Concatenation(1, 2, 1) == TIE
    assert hash(Concatenation(1, 2, 1)) == hash(TIE)
    assert Concatenation(1, 2, 2) != TIE
    others: list[object] = [(1, 2, 1, False), SubmitReport(None, 0x80)]
    assert TIE not in others
    assert DeliverReport(0x80) not in others
    assert len({TIE, Concatenation(1, 2, 1), SUBMIT}) == 2
    same_items = (DataCoding(8), Status(8), (8,))
    for one, other in itertools.permutations(same_items, 2):
        assert one != other
        assert not one == other  # noqa: SIM201 (that the two operators agree is the point)
    assert _Anything() == TIE


def test_defaults_and_keywords() -> None:
    assert Concatenation(reference=1, total=2, number=1).wide is False
    assert Concatenation(1, 2, number=1, wide=True).wide is True
    with pytest.raises(TypeError, match="positional"):
        Submit(SUBMIT.destination, SUBMIT.user_data, 7)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="missing"):
        Concatenation(1)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="other"):
        DataCoding(other=1)  # type: ignore[call-arg]


@pytest.mark.parametrize("value", [TIE, SUBMIT, DataCoding(8)])
def test_copies_are_equal(value: object) -> None:
    assert copy.copy(value) == copy.deepcopy(value) == pickle.loads(pickle.dumps(value)) == value
    assert type(copy.copy(value)) is type(value)


def test_repr_is_the_call_that_makes_it() -> None:
    assert repr(TIE) == "Concatenation(reference=1, total=2, number=1, wide=False)"
    assert repr(DataCoding(8)) == "DataCoding(octet=8)"


def test_the_functions_of_dataclasses_work() -> None:
    assert dataclasses.is_dataclass(SUBMIT)
    assert dataclasses.replace(SUBMIT, reference=8).reference == 8
    assert dataclasses.replace(TIE, wide=True) == Concatenation(1, 2, 1, wide=True)
    assert dataclasses.asdict(TIE) == {"reference": 1, "total": 2, "number": 1, "wide": False}
    names = [field.name for field in dataclasses.fields(SUBMIT)]
    assert names[:3] == ["destination", "user_data", "reference"]
    assert [field.kw_only for field in dataclasses.fields(SUBMIT)][:3] == [False, False, True]


def test_a_value_can_be_matched() -> None:
    match TIE:
        case Concatenation(reference, total, number, wide):
            assert (reference, total, number, wide) == (1, 2, 1, False)
    assert Submit.__match_args__ == ("destination", "user_data")


def test_a_maker_makes_the_same() -> None:
    assert maker(Concatenation)(1, 2, 1) == TIE
    assert maker(Submit)(SUBMIT.destination, SUBMIT.user_data, reference=7) == SUBMIT
    with pytest.raises(TypeError):
        maker(Concatenation)(1)  # type: ignore[call-arg]


def test_only_frozen_and_slotted_values_are_made() -> None:
    for frozen, slots in ((True, False), (False, True)):
        with pytest.raises(TypeError, match="frozen and slotted"):
            dataclass(frozen=frozen, slots=slots)
