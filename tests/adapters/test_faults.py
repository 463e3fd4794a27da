"""Every number that a modem may answer: its class, its words, and what comes next."""

import pytest

from smsd.adapters.contract import (
    Declined,
    PhoneError,
    Rejected,
    Throttled,
    Unavailable,
    Uncertain,
)
from smsd.adapters.modem.faults import error_of, fault_of, numeric
from smsd.adapters.modem.profiles import load
from smsd.at.dialogue import FinalResult
from smsd.gsm.causes import CME_ERRORS, CMS_ERRORS, FAILURE_CAUSES, RP_CAUSES
from smsd.model.message import FaultClass

PROFILES = load()
# What the field makes of each number: the classes of the field guide, copied by hand.
CMS = {
    "permanent": [1, 129, 130, 143, 195, 196, 224, 254],
    "limit": [8, 10, 21, 29, 50, 69, 193],
    "sim": [28, 30, 213, 310, 311, 312, 313, 315, 316, 317, 318, 770],
    "network": [38, 42, 47, 192, 331, 332, 615, 616],
    "later": [27, 41, 127, 194, 301],
    "retry": [11, 17, 81, 98, 111, 128, 212, 255, 302, 314, 500, 522, 532, 535, 640, 771, 772],
    "configuration": [
        95, 96, 97, 99, 144, 145, 159, 160, 161, 175, 176, 198, 199, 303, 304, 305, 330, 340, 538,
        549, 550, 551, 552, 553, 554,
    ],
    "memory": [22, 208, 209, 211, 320, 321, 322],
    "modem": [210, 300, 767, 769],
    "duplicate": [197],
}  # fmt: skip
CME = {
    "modem": [0, 1, 2],
    "configuration": [3, 4, 24, 25, 26, 27, 50],
    "sim": [5, 6, 7, 10, 11, 12, 13, 15, 16, 40, 48, 103, 106],
    "retry": [14, 100, 515],
    "memory": [20, 23],
    "network": [30, 31, 32, 107, 111, 112, 113, 114, 115],
    "later": [132, 133, 134],
}
FAMILIES = {
    "sim800": {332: "ambiguous", 512: "retry", 513: "memory", 514: "configuration",
               515: "configuration", 516: "configuration", 517: "configuration",
               519: "configuration", 520: "configuration", 521: "ambiguous"},
    "simcom": {332: "network", 513: "memory", 514: "configuration", 515: "configuration"},
    "cinterion": {332: "ambiguous", 512: "retry", 513: "ambiguous", 514: "network", 515: "retry"},
    "wavecom": {332: "ambiguous", 512: "retry", 513: "ambiguous", 514: "network", 515: "retry"},
    "generic": {332: "network", 512: "retry", 513: "ambiguous", 514: "later", 515: "retry",
                516: "configuration", 520: "configuration", 521: "ambiguous"},
}  # fmt: skip


@pytest.mark.parametrize(("kind", "number"), [(k, n) for k, ns in CMS.items() for n in ns])
def test_cms_errors(kind: str, number: int) -> None:
    fault = fault_of(FinalResult(f"+CMS ERROR: {number}"))
    assert fault.kind == kind
    assert fault.code == f"+CMS ERROR: {number}"
    assert 224 <= number < 255 or "maker" not in fault.words


@pytest.mark.parametrize(("kind", "number"), [(k, n) for k, ns in CME.items() for n in ns])
def test_cme_errors(kind: str, number: int) -> None:
    fault = fault_of(FinalResult(f"+CME ERROR: {number}"))
    assert fault.kind == kind
    assert "maker" not in fault.words


@pytest.mark.parametrize(
    ("family", "number", "kind"),
    [(family, n, kind) for family, kinds in FAMILIES.items() for n, kind in kinds.items()],
)
def test_the_makers_numbers_mean_what_the_family_means(family: str, number: int, kind: str) -> None:
    assert fault_of(FinalResult(f"+CMS ERROR: {number}"), PROFILES[family]).kind == kind


@pytest.mark.parametrize(
    ("text", "words"),
    [
        *((f"+CMS ERROR: {n}", words) for n, words in (RP_CAUSES | FAILURE_CAUSES).items()),
        *((f"+CMS ERROR: {n}", words) for n, words in CMS_ERRORS.items()),
        *((f"+CME ERROR: {n}", words) for n, words in CME_ERRORS.items()),
    ],
)
def test_every_number_of_the_standards_has_its_words(text: str, words: str) -> None:
    fault = fault_of(FinalResult(text))
    assert fault.words == words
    number_in_words = FinalResult(f"{text.partition(':')[0]}: {words.upper()}")
    spelt = fault_of(number_in_words)
    assert spelt.code == number_in_words.text
    assert spelt.words == words


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("+CME ERROR: SIM busy", "+CME ERROR: 14"),
        ("+CMS ERROR: SIM not inserted", "+CMS ERROR: 310"),
        ("+CME ERROR:SIM PIN required", "+CME ERROR: 11"),
        ("+CMS ERROR:500", "+CMS ERROR: 500"),
        ("+CMS ERROR: 500", "+CMS ERROR: 500"),
        ("+CME ERROR: never heard of", "+CME ERROR: never heard of"),
        ("ERROR", "ERROR"),
    ],
)
def test_words_are_compared_as_numbers(text: str, number: str) -> None:
    assert numeric(text) == number


@pytest.mark.parametrize("text", ["+CMS ERROR: 999", "+CME ERROR: 999", "+CMS ERROR: 12345"])
def test_a_number_that_nobody_knows_is_tried_again(text: str) -> None:
    fault = fault_of(FinalResult(text))
    assert fault.kind is FaultClass.RETRY
    assert fault.code == text
    assert "maker" in fault.words


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        (FaultClass.AMBIGUOUS, Uncertain),
        (FaultClass.PERMANENT, Rejected),
        (FaultClass.CONFIGURATION, Declined),
        (FaultClass.LIMIT, Unavailable),
        (FaultClass.NETWORK, Unavailable),
        (FaultClass.SIM, Unavailable),
        (FaultClass.LATER, Throttled),
        (FaultClass.RETRY, Throttled),
        (FaultClass.MEMORY, Throttled),
        (FaultClass.MODEM, Throttled),
    ],
)
def test_a_class_says_what_comes_next(kind: FaultClass, error: type[PhoneError]) -> None:
    number = {
        FaultClass.AMBIGUOUS: "513", FaultClass.PERMANENT: "1", FaultClass.CONFIGURATION: "303",
        FaultClass.LIMIT: "50", FaultClass.NETWORK: "38", FaultClass.SIM: "310",
        FaultClass.LATER: "27", FaultClass.RETRY: "17", FaultClass.MEMORY: "322",
        FaultClass.MODEM: "300",
    }[kind]  # fmt: skip
    fault = fault_of(FinalResult(f"+CMS ERROR: {number}"))
    assert fault.kind is kind
    assert type(error_of(fault)) is error
