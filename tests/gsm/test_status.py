"""Statuses and causes (23.040 9.2.3.15, 9.2.3.22; 27.005 3.2.5; 27.007 9.2)."""

import pytest

from smsd.gsm import Outcome, Status, cme_error, cms_error, failure_cause
from smsd.gsm.status import STATUS

DELIVERED, TRYING, FAILED = Outcome


@pytest.mark.parametrize("octet", range(256))
def test_9_2_3_15_every_octet_has_an_outcome_and_words(octet: int) -> None:
    status = Status(octet)
    expected = DELIVERED if octet < 0x20 else TRYING if octet < 0x40 else FAILED
    assert status.outcome is expected
    assert status.permanent == (0x40 <= octet <= 0x5F)
    assert status.words == status.words.lower()
    assert STATUS[octet] == status


@pytest.mark.parametrize(
    ("octet", "words"),
    [
        (0x00, "delivered to the recipient"),
        (0x02, "replaced by the service centre"),
        (0x03, "delivered (reserved)"),
        (0x10, "delivered (service centre specific)"),
        (0x21, "recipient busy"),
        (0x30, "temporary error, still trying (service centre specific)"),
        (0x26, "temporary error, still trying (reserved)"),
        (0x46, "validity period expired"),
        (0x4A, "permanent error (reserved)"),
        (0x50, "permanent error (service centre specific)"),
        (0x60, "congestion"),
        (0x7F, "temporary error, no longer trying (service centre specific)"),
        (0x80, "reserved status"),
        (0xFF, "reserved status"),
    ],
)
def test_9_2_3_15_in_words(octet: int, words: str) -> None:
    assert Status(octet).words == words


def test_outcomes_are_their_words() -> None:
    assert [str(outcome) for outcome in Outcome] == ["delivered", "trying", "failed"]


@pytest.mark.parametrize(
    ("number", "name"),
    [
        (8, "operator determined barring"),
        (38, "network out of order"),
        (0xD3, "memory capacity exceeded"),
        (300, "modem failure"),
        (330, "service centre address unknown"),
        (500, "unknown error"),
        (2, None),
        (0x83, None),
        (255, "unspecified error cause"),
        (256, None),
        (512, None),
        (-1, None),
    ],
)
def test_27_005_3_2_5_message_service_errors(number: int, name: str | None) -> None:
    assert cms_error(number) == name


@pytest.mark.parametrize(
    ("number", "name"),
    [(10, "sim not inserted"), (16, "incorrect password"), (100, "unknown error"), (999, None)],
)
def test_27_007_9_2_equipment_errors(number: int, name: str | None) -> None:
    assert cme_error(number) == name


def test_9_2_3_22_failure_causes() -> None:
    assert failure_cause(0xC0) == "service centre busy"
    assert failure_cause(0xC8) is None
