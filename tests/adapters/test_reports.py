"""Delivery reports, however they come; and what a hint for one must never cost."""

from tests.adapters.scripted import HELLO, Notes, ScriptedModem, deliver, phone_of, until
from tests.virtual_time import run


def report(reference: int) -> str:
    """A status report: delivered to +33612345678."""
    return f"07913396050066F006{reference:02X}0B913316325476F8623020210000006230202100000000"


LENGTH = len(report(1)) // 2 - 8


def references(sink: Notes) -> list[str]:
    return [one.reference for one in sink.reports]


def test_reports_come_in_every_way() -> None:
    async def main() -> None:
        memories = {"SM": {}, "ME": {}, "SR": {1: report(1)}}  # stored before we came
        modem = ScriptedModem(memories=memories)
        async with phone_of(modem) as phone:
            assert references(phone.sink) == ["1"]
            modem.memories["SR"][3] = report(2)
            modem.lines(['+CDSI: "SR",3'])
            await until(lambda: references(phone.sink)[1:] == ["2"], within=5)
            modem.memories["ME"][0] = report(3)
            modem.lines(['+CDSI: "ME",0'])
            await until(lambda: references(phone.sink)[2:] == ["3"], within=5)
            # EC25 names "SM" and stores it in "SR"
            modem.memories["SR"][7] = report(4)
            modem.lines(['+CDSI: "SM",7'])
            await until(lambda: references(phone.sink)[3:] == ["4"], within=5)
            # handed over, as ZTE writes it, and as the standard has it
            modem.lines([f"+CDS: ,{LENGTH}", report(5), f"+CDS: {LENGTH}", report(6)])
            await until(lambda: references(phone.sink)[4:] == ["5", "6"], within=5)
            # without any hint
            modem.memories["SR"][1] = report(7)
            await until(lambda: references(phone.sink)[6:] == ["7"], within=400)
            assert modem.memories == {"SM": {}, "ME": {}, "SR": {}}

    run(main())


def test_what_a_hint_for_a_report_names_is_kept_before_it_is_deleted_whatever_it_is() -> None:
    async def main() -> None:
        modem = ScriptedModem()
        sink = Notes()
        still_there: list[bool] = []
        sink.witness = lambda: still_there.append(bool(modem.memories["SM"]))
        async with phone_of(modem, sink):
            modem.memories["SM"][4] = HELLO
            modem.lines(['+CDSI: "SM",4'])
            await until(lambda: not modem.memories["SM"], within=5)
            assert sink.texts == ["12345"]
            assert still_there == [True]

    run(main())


def test_a_record_that_cannot_be_kept_is_not_deleted() -> None:
    async def main() -> None:
        modem = ScriptedModem()
        sink = Notes()
        async with phone_of(modem, sink) as phone:
            sink.fails = OSError("no disk")
            modem.memories["SM"][4] = deliver(1)
            modem.lines(['+CDSI: "SM",4'])
            await until(lambda: phone.ended)
            assert modem.memories["SM"] == {4: deliver(1)}

    run(main())


def test_messages_that_wait_elsewhere_are_a_fact_of_the_phone() -> None:
    async def main() -> None:
        waiting = HELLO[:36] + "C8" + HELLO[38:]
        modem = ScriptedModem(memories={"SM": {1: waiting}, "SR": {}})
        async with phone_of(modem) as phone:
            assert phone.sink.known["waiting_voicemail"] == "some"
            [incoming] = phone.sink.incoming
            assert incoming.silent

    run(main())


def test_a_report_that_could_not_come_is_not_asked_for() -> None:
    def indications(line: str) -> tuple[str, ...]:
        return ("OK",) if line.endswith(",0,0") else ("ERROR",)

    async def main() -> None:
        for names, asked in (("SM", False), ("SM SR", True)):
            memories: dict[str, dict[int, str]] = {name: {} for name in names.split()}
            modem = ScriptedModem(on={"AT+CNMI": indications}, memories=memories)
            async with phone_of(modem) as phone:
                await phone.send("hello")
            [pdu] = modem.pdus
            first_octet = bytes.fromhex(pdu)[1 + int(pdu[:2], 16)]
            assert bool(first_octet & 0x20) is asked  # TP-SRR, 23.040 9.2.3.5

    run(main())
