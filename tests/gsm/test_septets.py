"""Packing against a bit-by-bit reference (23.038 6.1.2.1)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsd.gsm.septets import pack, pack_each, unpack, unpack_each

septets = st.lists(st.integers(0, 127), max_size=1280).map(bytes)


def packed_bit_by_bit(values: bytes) -> bytes:
    bits = "".join(f"{value:07b}"[::-1] for value in values)
    bits += "0" * (-len(bits) % 8)
    return bytes(int(bits[at : at + 8][::-1], 2) for at in range(0, len(bits), 8))


def unpacked_bit_by_bit(octets: bytes) -> bytes:
    bits = "".join(f"{value:08b}"[::-1] for value in octets)
    return bytes(int(bits[at : at + 7][::-1], 2) for at in range(0, len(bits) - 6, 7))


@given(septets)
def test_pack_is_the_standards(values: bytes) -> None:
    assert pack(values) == packed_bit_by_bit(values)


@given(st.binary(max_size=300))
def test_unpack_is_the_standards(octets: bytes) -> None:
    expected = unpacked_bit_by_bit(octets)
    assert unpack(octets, 0, len(expected)) == expected


@given(st.binary(max_size=300), st.data())
def test_unpack_from_anywhere(octets: bytes, data: st.DataObject) -> None:
    expected = unpacked_bit_by_bit(octets)
    start = data.draw(st.integers(0, len(expected)))
    stop = data.draw(st.integers(start, len(expected)))
    assert unpack(octets, start, stop) == expected[start:stop]


def test_octets_that_are_missing_are_zeros() -> None:
    assert unpack(b"\x7f", 0, 3) == b"\x7f\0\0"
    assert unpack(b"", 150, 170) == bytes(20)


@given(st.lists(st.lists(st.integers(0, 127), max_size=160).map(bytes), max_size=20))
def test_messages_in_a_row(messages: list[bytes]) -> None:
    packed = pack_each(messages)
    assert packed == b"".join([pack(message.ljust(160, b"\0")) for message in messages])
    opened = unpack_each([pack(message) for message in messages])
    assert opened == b"".join([message.ljust(160, b"\0") for message in messages])


@pytest.mark.parametrize("count", range(257))
def test_every_length_comes_back(count: int) -> None:
    values = bytes((count * 31 + at * 17 + 1) % 128 for at in range(count))
    assert unpack(pack(values), 0, count) == values
    assert len(pack(values)) == (count * 7 + 7) // 8


@pytest.mark.parametrize("count", [1, 8, 159, 160, 161, 255, 256, 1280])
def test_every_bit_finds_its_place(count: int) -> None:
    for at in (0, count // 2, count - 1):
        for bit in range(7):
            values = bytearray(count)
            values[at] = 1 << bit
            assert pack(bytes(values)) == packed_bit_by_bit(bytes(values))
            assert unpack(pack(bytes(values)), 0, count) == values
