"""Garble real and random PDUs and see that the codec gives a value or its documented error.

    python tests/fuzz/fuzz_gsm.py [COUNT] [SEED]

A million (the default count) takes some minutes. Only `DecodeError` may leave the decoder, and
whatever came through must be readable to its last property and, if strict, writable again.
"""

from __future__ import annotations

import contextlib
import random
import sys
import time
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

from smsd.cli.pdu import describe
from smsd.gsm import (
    PDU,
    DecodeError,
    Deliver,
    EncodeError,
    assemble,
    decode_from_ms,
    decode_from_sc,
    encode,
)
from smsd.gsm.dissect import dissect
from smsd.gsm.wap import mms_notification

SEEDS = (
    "07911326040000F0040B911346610089F60000208062917314480CC8F71D14969741F977FD07",
    "07913306091093F0440B913316325476F8000062506070809000A0050003420201" + "C2E170381C0E8701" * 17,
    "0044038121F3000462506070809000190605040B8423F00006246170706C69636174696F6E2F00",
    "0044038121F30008625060708090000E0B050403240101250101D83DDE42",
    "0006070B913316325476F86250607080900062506070809000000704000161",
    "00D1000B913316325476F80000A70A050003420201E8329B",
    "0099050281F2001862506070809000020416",
    "0009050281F20000420A00000000000161",
    "0022054002090B913316325476F8020102",
    "0000D30700040101",
    "0001C00762506070809000400005E8329BFD06",
    "0004 0BD0E5F4FBED8E03 0000 62506070809000 00".replace(" ", ""),
)
LONGEST = 260  # octets


def garbled(octets: bytes, chance: random.Random) -> bytes:
    """Return the octets after one to four accidents."""
    found = bytearray(octets)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(found) + 1)
        match chance.randrange(6):
            case 0 if at < len(found):
                found[at] = chance.randrange(256)
            case 1 if at < len(found):
                found[at] ^= 1 << chance.randrange(8)
            case 2:
                found.insert(at, chance.randrange(256))
            case 3:
                del found[at : at + chance.randint(1, 4)]
            case 4:
                del found[at:]
            case _:
                found[at:at] = chance.randbytes(chance.randint(1, 20))
    return bytes(found[:LONGEST])


def try_pdu(octets: bytes, *, from_sc: bool, strict: bool) -> bool:
    """Return whether the octets were read; any error but the documented ones flies."""
    digits = octets.hex()
    try:
        pdu = PDU.from_hex(digits, from_sc=from_sc, strict=strict)
    except DecodeError as error:
        if not 0 <= error.offset <= len(octets):
            raise AssertionError(f"{error} is outside the {len(octets)} octets") from None
        return False
    describe(pdu)
    rows = list(dissect(octets, pdu, 1 + octets[0]))
    if b"".join(row.octets for row in rows) != octets:
        raise AssertionError("the dissection lost an octet")
    user_data = getattr(pdu.tpdu, "user_data", None)
    if isinstance(pdu.tpdu, Deliver) and user_data is not None:
        assemble([user_data, user_data])
        with contextlib.suppress(DecodeError):
            mms_notification(user_data.data)
    try:
        again = encode(pdu.tpdu)
    except EncodeError:
        if strict:
            raise
        return True  # lenient decoding takes lengths that the standard forbids to write
    if strict and (decode_from_sc if from_sc else decode_from_ms)(again) != pdu.tpdu:
        raise AssertionError("what was written is not what was read")
    return True


def fuzz(count: int, seed: int) -> int:
    """Try so many garbled PDUs and return how many could be read."""
    chance = random.Random(seed)
    seeds = [bytes.fromhex(text) for text in SEEDS]
    read = 0
    for number in range(count):
        octets = garbled(chance.choice(seeds), chance)
        from_sc, strict = chance.random() < 0.7, chance.random() < 0.3
        try:
            read += try_pdu(octets, from_sc=from_sc, strict=strict)
        except Exception as error:
            error.add_note(f"PDU {number} of seed {seed}: {octets.hex()} {from_sc=} {strict=}")
            raise
    return read


def main() -> int:
    """Run by hand."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    started = time.process_time()
    read = fuzz(count, seed)
    spent = time.process_time() - started
    sys.stdout.write(f"{count} garbled PDUs, {read} read, the others refused; {spent:.0f} s\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
