"""Every kind of message that a network sends, from its PDU to its row."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsd.adapters.modem.incoming import read_pdu
from smsd.adapters.modem.kinds import content, waiting
from smsd.dispatch.inbox import Inbox, join
from smsd.gsm import (
    PDU,
    Address,
    Alphabet,
    DataCoding,
    Deliver,
    InformationElement,
    Ports,
    UserData,
    segment,
    segment_data,
)
from smsd.gsm.header import encode
from smsd.model.content import Content, Kind, Waiting
from smsd.model.events import Incoming
from tests.rig import ALICE, Rig, Scripted
from tests.virtual_time import run

SCTS = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
SC = Address.parse("+33609001390")
DATA8 = DataCoding.of(Alphabet.DATA8)
# A notification as WAP push carries it: an MMS of 12 kB from +336…, for a day.
BARE = bytes.fromhex("000603BEAF84") + b"\x8c\x82"
MMS = (
    BARE + b"\x98T1\0\x89\x18\x80+33612345678/TYPE=PLMN\0\x8e\x02\x30\x39"
    b"\x88\x05\x81\x03\x01\x51\x80\x96" + b"holidays " * 10 + b"\0\x83http://mms/1\0"
)


def deliver(user_data: UserData, pid: int = 0, sent_at: datetime = SCTS) -> Deliver:
    return Deliver(Address.parse(ALICE), pid, user_data.coding, sent_at, user_data)


def came(tpdu: Deliver) -> Incoming:
    pdu = PDU(sc=SC, tpdu=tpdu)
    incoming = read_pdu(pdu.hex, pdu.length)
    assert isinstance(incoming, Incoming)
    return incoming


def text(words: str, octet: int = 0, *elements: InformationElement) -> UserData:
    return UserData.of_text(words, DataCoding(octet), elements)


def octets(data: bytes, *elements: InformationElement) -> UserData:
    return UserData.of_octets(data, DATA8, encode(elements))


class Desk:
    """A phone's inbox on a database."""

    def __init__(self) -> None:
        self.rig = Rig()

    async def take(self, *messages: Deliver) -> None:
        if not self.rig.phones.all():
            await self.rig.add("gsm0", Scripted())
        [phone] = self.rig.phones.all()
        sink = Inbox(phone, self.rig.phones, self.rig.store)
        for message in messages:
            await sink.received(came(message))

    async def texts(self) -> list[str]:
        rows = await self.rig.store.views.page("received", account=None)
        return [row["text"] for row in rows]


def test_a_flash_message_is_shown_and_flagged_a_long_one_too() -> None:
    async def main() -> None:
        desk = Desk()
        await desk.take(deliver(text("now", 0x10)))
        parts = segment("long " * 60, reference=1, message_class=0)
        assert len(parts) == 2
        await desk.take(*map(deliver, parts))
        await desk.take(deliver(text("to the SIM", 0x12)), deliver(text("plain")))
        rows = await desk.rig.rows("received")
        assert [row["flash"] for row in rows] == [1, 1, 0, 0]
        assert [row["text"] for row in rows][2:] == ["to the SIM", "plain"]

    run(main())


def test_type_0_is_kept_and_shown_to_nobody() -> None:
    async def main() -> None:
        desk = Desk()
        await desk.take(deliver(text("are you there?"), pid=0x40))
        assert await desk.texts() == []
        [row] = await desk.rig.rows("incoming")
        assert (row["kind"], row["received_id"]) == ("silent", None)

    run(main())


def test_a_newer_message_of_a_type_replaces_the_older_one_which_is_kept() -> None:
    async def main() -> None:
        desk = Desk()
        later, latest = SCTS + timedelta(hours=1), SCTS + timedelta(hours=2)
        await desk.take(deliver(text("1 call"), pid=0x41))
        await desk.take(deliver(text("other type"), pid=0x42), deliver(text("plain")))
        await desk.take(deliver(text("3 calls"), pid=0x41, sent_at=latest))
        await desk.take(deliver(text("2 calls"), pid=0x41, sent_at=later))  # overtaken on its way
        assert await desk.texts() == ["other type", "plain", "3 calls"]
        rows = await desk.rig.rows("received")
        assert [row["text"] for row in rows if row["replaced_by"] == 4] == ["1 call", "2 calls"]
        assert len(await desk.rig.rows("incoming")) == 5

    run(main())


def test_messages_that_wait_are_told_and_the_message_kept_as_it_says() -> None:
    async def main() -> None:
        desk = Desk()
        count = InformationElement(0x01, bytes((0x80, 3)))  # voicemail, to be stored
        discarded = InformationElement(0x01, bytes((0x02, 1)))  # e-mail, not to be stored
        await desk.take(
            deliver(text("3 messages", 0, count)),
            deliver(text("1 mail", 0, discarded)),
            deliver(text("discard me", 0xC8)),
            deliver(text("store me", 0xD8)),
        )
        assert await desk.texts() == ["3 messages", "store me"]
        assert [row["kind"] for row in await desk.rig.rows("incoming")] == ["waiting"] * 4
        told = [row["words"] for row in await desk.rig.rows("event") if row["kind"] == "waiting"]
        assert told == ["voicemail: 3", "email: 1", "voicemail: some", "voicemail: some"]

    run(main())


@pytest.mark.parametrize(
    ("user_data", "said"),
    [
        (text("", 0xC8), (Waiting("voicemail", None),)),
        (text("", 0xC0), (Waiting("voicemail", 0),)),
        (text("", 0xD9), (Waiting("fax", None),)),
        (UserData.of_text("", DataCoding(0xEA)), (Waiting("email", None),)),
        (text("", 0xC8, InformationElement(1, b"\x00\x05")), (Waiting("voicemail", 5),)),
        (
            text("", 0, InformationElement(1, b"\x00\x05"), InformationElement(1, b"\x83\x00")),
            (Waiting("voicemail", 5), Waiting("other", 0)),
        ),
        (text("", 0, InformationElement(1, b"\x00")), ()),
        (text("hi"), ()),
    ],
)
def test_what_is_said_of_messages_that_wait(user_data: UserData, said: tuple[Waiting, ...]) -> None:
    assert waiting([deliver(user_data)]) == said


def test_a_call_is_wanted_back() -> None:
    found = content([deliver(text("call me"), pid=0x5F)])
    assert found == Content("call me", Kind.RETURN_CALL)


def test_octets_for_a_port_are_kept_and_not_shown_as_text() -> None:
    async def main() -> None:
        desk = Desk()
        await desk.take(
            deliver(octets(b"\x01\x02", Ports(5514, 5514).element)),
            deliver(octets(b"\xff")),
            deliver(text("BEGIN:VCARD", 0, Ports(0xE2, 0, wide=False).element)),
        )
        assert await desk.texts() == []
        rows = await desk.rig.rows("datagram")
        assert [(row["destination_port"], row["data"]) for row in rows] == [
            (5514, "0102"), (None, "FF"), (0xE2, b"BEGIN:VCARD".hex().upper()),
        ]  # fmt: skip
        assert [row["datagram_id"] for row in await desk.rig.rows("incoming")] == [1, 2, 3]

    run(main())


def test_long_octets_are_joined_in_their_order_and_not_with_a_hole() -> None:
    async def main() -> None:
        desk = Desk()
        data = bytes(range(256)) * 2
        parts = segment_data(data, elements=(Ports(9204, 9204).element,), reference=4)
        assert len(parts) > 2
        await desk.take(*map(deliver, reversed(parts)))
        [row] = await desk.rig.rows("datagram")
        assert row["data"] == data.hex().upper()
        raws = [came(deliver(part)).raw for part in parts]
        assert join([raws[0], None, *raws[2:]]) is None

    run(main())


def test_an_mms_that_waits_is_a_message_that_can_be_read() -> None:
    async def main() -> None:
        desk = Desk()
        parts = segment_data(MMS, elements=(Ports(2948, 9200).element,), reference=5)
        await desk.take(*map(deliver, parts))
        assert await desk.texts() == [
            f"MMS from +33612345678, “{'holidays ' * 10}”, 12 kB, until 2026-03-03 12:00 UTC: "
            "http://mms/1"
        ]
        [row] = await desk.rig.rows("received")
        assert (row["kind"], row["origin"]) == ("mms", ALICE)
        [kept] = await desk.rig.rows("datagram")
        assert kept["data"] == MMS.hex().upper()

    run(main())


@pytest.mark.parametrize(
    "data", [b"", b"\x01\x06\xff\xff\xff\xff\xff\xff", MMS[:40], b"\x01\x06\x01\xae"]
)
def test_another_push_or_a_broken_one_is_kept_as_octets(data: bytes) -> None:
    found = content([deliver(octets(data, Ports(2948, 9200).element))])
    assert found == Content(None, Kind.DATA, data=data, ports=(2948, 9200))


def test_a_notification_may_lack_everything() -> None:
    found = content([deliver(octets(BARE, Ports(2948, 9200).element))])
    assert found is not None
    assert found.text == "MMS from an unknown sender"


def test_emails_and_ems_are_text() -> None:
    email = deliver(text("anna@example.org Hello"), pid=0x32)
    assert content([email]) == Content("anna@example.org Hello")
    formatted = InformationElement(0x0A, bytes((0, 2, 0x10)))
    assert content([deliver(text("bold", 0, formatted))]) == Content("bold")


def test_nothing_is_nothing() -> None:
    assert content([None, None]) is None


@given(st.binary(max_size=120), st.integers(0, 255), st.integers(0, 255), st.booleans())
def test_any_user_data_is_of_some_kind(data: bytes, octet: int, pid: int, ported: bool) -> None:
    header = encode([Ports(2948, 0).element]) if ported else b""
    coding = DataCoding(octet)
    made = (
        UserData.of_septets(bytes(o & 127 for o in data), coding, header)
        if coding.alphabet is Alphabet.GSM7
        else UserData.of_octets(data, coding, header)
    )
    assert isinstance(content([deliver(made, pid)]), Content)
