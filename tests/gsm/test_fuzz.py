"""A short run of the fuzzer; the long one is run by hand (tests/fuzz/fuzz_gsm.py)."""

from tests.fuzz.fuzz_gsm import fuzz


def test_garbled_pdus_give_a_value_or_a_decode_error() -> None:
    read = fuzz(4000, seed=7)
    assert 400 < read < 3600
