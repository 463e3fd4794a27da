"""The checks of ``POST /api/scheduled/`` in their order, with RaspiSMS's messages."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsd.api.envelope import ApiError, Code
from smsd.api.scheduled import MOST_RECIPIENTS, Checked, check
from smsd.dispatch.numbers import normal
from smsd.gsm import count_parts

PARIS = ZoneInfo("Europe/Paris")
NUMBER = "+33612345678"
BAD = "You have specified an invalid parameter : "
MISSING = "One require parameter is missing : "
NOBODY = (
    MISSING + "You must specify at least one valid number, contact, group or conditional_group."
)


def read(region: str | None = None, **body: Any) -> Checked:
    return check(
        body, phones=lambda phone: phone in (1, 2), zone=PARIS, region=region,
        validity=lambda phone: 3600 if phone == 2 else 86_400, count_parts=count_parts,
    )  # fmt: skip


def refused(**body: Any) -> tuple[Code, str]:
    with pytest.raises(ApiError) as caught:
        read(**body)
    assert caught.value.status == 400
    return caught.value.code, str(caught.value)


def test_the_least_that_is_needed() -> None:
    checked = read(text="hi", numbers=NUMBER)
    draft = checked.draft
    assert (draft.text, tuple(draft.numbers), draft.parts) == ("hi", ((NUMBER, "[]"),), 1)
    assert (draft.at, draft.phone, draft.flash, draft.tag) == (None, None, False, None)
    assert draft.validity == 86_400
    assert checked.dropped == ()


def test_everything_that_can_be_said() -> None:
    draft = read(
        text="é" * 161, at="2030-07-01 10:00:00", id_phone="2", flash="1", tag="x",
        numbers={"0": NUMBER, "k": {"number": "+33 6 12 34 56 79", "data": '{"a":1}'}},
        validity_minutes="60",
    ).draft  # fmt: skip
    assert tuple(draft.numbers) == ((NUMBER, "[]"), ("+33612345679", '{"a":1}'))
    assert draft.at == datetime(2030, 7, 1, 8, 0, tzinfo=UTC)
    assert (draft.phone, draft.flash, draft.tag, draft.validity) == (2, True, "x", 3600)
    assert draft.parts == 2


CHECKS: list[tuple[dict[str, Any], Code, str]] = [
    ({"text": None}, Code.MISSING_PARAMETER, MISSING + "text"),
    ({"at": {"0": "x"}}, Code.INVALID_PARAMETER, BAD + " : at must be a string."),
    ({"text": {"0": "x"}}, Code.INVALID_PARAMETER, BAD + " : text must be a string."),
    (
        {"text": "😀" * 1001},
        Code.INVALID_PARAMETER,
        BAD + " : text must be less than 1000 char.",
    ),
    (
        {"at": "tomorrow"},
        Code.INVALID_PARAMETER,
        BAD + 'at must be a date of format "Y-m-d H:i:s".',
    ),
    (
        {"mms": "1"},
        Code.INVALID_PARAMETER,
        BAD + "mms is set to true, but mms are disabled in settings.",
    ),
    (
        {"numbers": {"0": {"number": NUMBER, "data": "{bad"}}},
        Code.INVALID_PARAMETER,
        BAD + "number data must be a valid json or leave not set.",
    ),
    ({"numbers": None}, Code.MISSING_PARAMETER, NOBODY),
    (
        {"id_phone": "1", "id_phone_group": "1"},
        Code.INVALID_PARAMETER,
        BAD + "id_phone, id_phone_group : You must specify at most one of id_phone or "
        "id_phone_group, not both.",
    ),
    (
        {"id_phone": "9"},
        Code.INVALID_PARAMETER,
        BAD + "id_phone : You must specify an id_phone number among thoses of user phones.",
    ),
    (
        {"id_phone_group": "9"},
        Code.INVALID_PARAMETER,
        BAD + "id_phone_group : You must specify an id_phone_group number among thoses of user "
        "phone groups.",
    ),
]
GOOD = {"text": "hi", "numbers": NUMBER}


@pytest.mark.parametrize(("wrong", "code", "words"), CHECKS)
def test_each_check_has_its_code_and_its_words(
    wrong: dict[str, Any], code: Code, words: str
) -> None:
    assert refused(**GOOD | wrong) == (code, words)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (a, b) for n, a in enumerate(CHECKS) for b in CHECKS[n + 1 :]
        if not {*a[0]} & {*b[0]} and {*a[0], *b[0]} != {"id_phone", "id_phone_group"}
    ],
)  # fmt: skip
def test_the_first_check_that_fails_wins(
    first: tuple[dict[str, Any], Code, str], second: tuple[dict[str, Any], Code, str]
) -> None:
    assert refused(**GOOD | first[0] | second[0]) == first[1:]


@pytest.mark.parametrize("text", ["", None])
def test_an_empty_text_is_missing(text: str | None) -> None:
    assert refused(text=text, numbers=NUMBER)[1] == MISSING + "text"


def test_a_text_of_1000_characters_is_taken_whatever_they_are() -> None:
    for char in "a€é😀":
        assert read(text=char * 1000, numbers=NUMBER).draft.text == char * 1000
    assert read(text="0", numbers=NUMBER).draft.text == "0"


@pytest.mark.parametrize("text", ["a\ud800", "\udfff", "a\0b"])
def test_what_cannot_be_stored_as_text_is_refused(text: str) -> None:
    assert refused(text=text, numbers=NUMBER) == (2, BAD + "text : not valid Unicode text.")
    assert refused(text="a", tag=text, numbers=NUMBER) == (2, BAD + "tag : not valid Unicode text.")


@pytest.mark.parametrize("tag", ["x" * 1001, {"0": "x"}, 5])
def test_a_tag_that_is_too_long_or_none_is_refused(tag: object) -> None:
    assert refused(text="a", numbers=NUMBER, tag=tag)[0] == 2


@pytest.mark.parametrize(
    "at",
    [
        "2030-02-30 10:00:00", "2030-1-1 1:0:0", "2030-01-01", "2030-01-01T10:00:00", "abc", "00",
        " 2030-01-01 10:00:00", "2030-01-01 10:00:00 ", "2030-01-01 24:00:00",
        "0000-00-00 00:00:00",
        "20300-01-01 10:00:00", "-2030-01-01 10:00:00", "２030-01-01 10:00:00", "now", "\0",
        "2030-03-31 02:30:00",  # the hour that the clock change skips
        "0001-01-01 00:00:00",
    ],
)  # fmt: skip
def test_a_date_that_does_not_read_back_is_refused(at: str) -> None:
    words = BAD + 'at must be a date of format "Y-m-d H:i:s".'
    assert refused(text="a", numbers=NUMBER, at=at) == (2, words)


@pytest.mark.parametrize("at", [None, "", "0", 0, False])
def test_no_date_is_now(at: object) -> None:
    assert read(text="a", numbers=NUMBER, at=at).draft.at is None


def test_the_doubled_hour_and_the_last_second_are_dates() -> None:
    assert read(text="a", numbers=NUMBER, at="2030-10-27 02:30:00").draft.at
    assert read(text="a", numbers=NUMBER, at="9999-12-31 23:59:59").draft.at


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        (None, "[]"), ("{}", "{}"), (' {"a" : 1} ', ' {"a" : 1} '), ("5", "5"), ('"s"', '"s"'),
        ("false", "false"), ({"firstname": "L"}, '{"firstname": "L"}'), ([1], "[1]"),
    ],
)  # fmt: skip
def test_data_is_kept_as_it_was_written(given: object, stored: str) -> None:
    numbers = {"0": {"number": NUMBER, "data": given}}
    assert tuple(read(text="a", numbers=numbers).draft.numbers) == ((NUMBER, stored),)


@pytest.mark.parametrize(
    "data",
    ["", "null", "abc", "{'a':1}", '{"a":1,}', "NaN", "[Infinity]", '"\ud800"', "[" * 9999,
     "1" * 9999, [float("nan")]],
)  # fmt: skip
def test_data_that_is_no_json_is_refused(data: object) -> None:
    words = BAD + "number data must be a valid json or leave not set."
    assert refused(text="a", numbers={"0": {"number": NUMBER, "data": data}}) == (2, words)


def test_numbers_that_are_none_are_named() -> None:
    checked = read(text="a", numbers=[NUMBER, "0612", {"data": "{}"}, {"number": "x\ny"}, 5])
    assert tuple(checked.draft.numbers) == ((NUMBER, "[]"),)
    assert checked.dropped == ("0612", "", "x\ny", "5")
    assert checked.draft.invalid == 4
    code, words = refused(text="a", numbers=["0612345678", "x\ny"])
    assert (code, words) == (4, NOBODY + ' Not valid: "0612345678", "x?y".')


def test_the_data_of_a_number_that_is_none_does_not_matter() -> None:
    checked = read(text="a", numbers=[{"number": "x", "data": "{bad"}, NUMBER])
    assert len(checked.draft.numbers) == 1


def test_recipients_are_bounded() -> None:
    words = BAD + "numbers : at most 100000 recipients a request."
    assert refused(text="a", numbers=["x"] * (MOST_RECIPIENTS + 1)) == (2, words)


@pytest.mark.parametrize(
    ("number", "region", "e164"),
    [
        ("+33 6 12-34.56(78)", None, NUMBER), ("+33(0)612345678", None, NUMBER),
        ("tel:+33612345678", None, NUMBER), ("++33612345678", None, NUMBER),
        ("+３３612345678", None, NUMBER), ("+33612345678 ext 3", None, NUMBER),
        ("0612345678", None, None), ("0612345678", "FR", NUMBER), ("0033612345678", None, None),
        ("0033612345678", "FR", NUMBER), ("36789", "FR", None), ("112", None, None),
        ("+33700000000", None, None), ("+336120ABCDE", None, None), ("", None, None),
        ("+" * 300, None, None), (None, None, None), (33612345678, None, None),
        ({"0": NUMBER}, None, None), ("+1 (415) 555-2671", None, "+14155552671"),
    ],
)  # fmt: skip
def test_numbers(number: object, region: str | None, e164: str | None) -> None:
    assert normal(number, region) == e164


@given(st.text(max_size=40) | st.text("+0123456789 ()-extel:;=.#*", max_size=40))
def test_any_text_is_a_number_or_none(text: str) -> None:
    found = normal(text, "FR")
    assert found is None or (found[0] == "+" and found[1:].isdigit() and len(found) <= 16)


@pytest.mark.parametrize("phone", ["x", "1x", "-1", "1.5", "٢", "9" * 20, {"0": "1"}, True, 1.5])
def test_a_phone_that_is_none_is_refused(phone: object) -> None:
    assert refused(text="a", numbers=NUMBER, id_phone=phone)[0] == 2


@pytest.mark.parametrize("phone", [None, "", "0", 0])
def test_no_phone_is_any(phone: object) -> None:
    assert read(text="a", numbers=NUMBER, id_phone=phone).draft.phone is None


@pytest.mark.parametrize(
    "validity", ["0", "-5", "x", "635041", "1" * 30, "00000000199999999999999999", 0.5]
)
def test_a_validity_out_of_range_is_refused(validity: object) -> None:
    assert refused(text="a", numbers=NUMBER, validity_minutes=validity)[0] == 2


@given(
    st.dictionaries(
        st.sampled_from(
            ["text", "at", "numbers", "tag", "flash", "mms", "id_phone", "id_phone_group",
             "validity_minutes"]
        ),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text()
            | st.sampled_from([NUMBER, "hi", "1", "2030-01-01 10:00:00"]),
            lambda inner: st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["number", "data", "0"]), inner),
            max_leaves=5,
        ),
    )
)  # fmt: skip
def test_any_body_gives_a_draft_that_can_be_stored_or_an_error_in_words(
    body: dict[str, Any],
) -> None:
    try:
        draft = read(**body).draft
    except ApiError as error:
        str(error).encode("ascii", "backslashreplace")
        return
    for text in (draft.text, draft.tag or "", *(v for pair in draft.numbers for v in pair)):
        text.encode()
    assert 0 < draft.validity < 2**31


@pytest.mark.parametrize("name", ["conditional_groups", "medias"])
def test_recipients_that_this_version_does_not_know_are_refused_and_not_dropped(name: str) -> None:
    code, words = refused(text="x", numbers="+33612345678", **{name: ["1"]})
    assert (code, name in words) == (Code.INVALID_PARAMETER, True)


def test_contacts_and_groups_are_ids_and_enough_by_themselves() -> None:
    draft = read(text="a", contacts={"0": "7", "1": "8"}, groups="3").draft
    assert (draft.contacts, draft.groups, tuple(draft.numbers)) == ((7, 8), (3,), ())
    assert read(text="a", contacts=[5], groups=[]).draft.contacts == (5,)
    for wrong in ("x", "", "-1", "1.5", ["1", "b"], [True], [{"id": "1"}]):
        assert refused(text="a", contacts=wrong) == (
            2,
            BAD + "contacts : a list of ids is expected.",
        )


def test_a_template_is_refused_where_a_contact_could_fill_it() -> None:
    for whom in (
        {"contacts": "1"},
        {"groups": "1"},
        {"numbers": [{"number": NUMBER, "data": "{}"}]},
    ):
        assert refused(text="Hi {{ contact.name }}", **whom)[0] == 2


BAD_LINE = "Erreur à la ligne {} colonne 1, numéro de téléphone invalide."
NO_HEADER = "the first line must name the columns, and it holds a number."
CSV = 'number,first-name,âge\r\n+33612345678,Zoé,\r\n"+33 6 12 34 56 79","a ""b""",42\r\n'


def test_a_csv_file_has_numbers_and_their_data_after_those_of_the_request() -> None:
    draft = read(text="a", numbers="+33612345670", numbers_csv=CSV).draft
    assert tuple(draft.numbers) == (
        ("+33612345670", "[]"),
        (NUMBER, '{"firstname": "Zo\\u00e9"}'),
        ("+33612345679", '{"firstname": "a \\"b\\"", "\\u00e2ge": "42"}'),
    )
    assert tuple(read(text="a", numbers_csv="n\n+33612345678\n").draft.numbers) == ((NUMBER, "[]"),)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("number\n+33612345678\n0612\n", BAD_LINE.format(3)),
        ("number\n\n", BAD_LINE.format(2)),
        ("number;name\n+33612345678;x\n", BAD_LINE.format(2)),
        ("number\n", "no valid number in csv file."),
        ("+33612345678\n+33612345679\n", NO_HEADER),
        ("number,a,a\n+33612345678,1,2\n", "two columns have the same name."),
        ("number\n+33612345678,x\n", "line 2 has more columns than the first one."),
    ],
)  # fmt: skip
def test_a_csv_file_with_a_mistake_is_refused_as_a_whole(text: str, words: str) -> None:
    assert refused(text="a", numbers=NUMBER, numbers_csv=text) == (2, BAD + "csv : " + words)


def test_a_csv_file_is_one_file_and_its_mistake_comes_before_that_of_a_number() -> None:
    assert refused(text="a", numbers_csv=["x"]) == (2, BAD + "csv : one file is expected.")
    numbers = [{"number": NUMBER, "data": "{bad"}]
    assert refused(text="a", numbers=numbers, numbers_csv="n\n")[1].startswith(BAD + "csv")
