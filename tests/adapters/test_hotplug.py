"""Any stick, at any time: found without configuration, bound to its phone whatever it is called."""

import asyncio
import os
import threading
from pathlib import Path

import pytest

from smsd.adapters.contract import Absent, lost
from smsd.adapters.hotplug import CEILING, NO_PORTS, Wanted, same_imei
from smsd.adapters.modem.adapter import ModemAdapter, ModemSettings
from smsd.adapters.modem.probe import same_iccid
from smsd.adapters.modem.where import Found
from smsd.adapters.supervisor import supervise
from smsd.model.phone import Health
from tests.adapters.plugboard import ICCID_A, ICCID_B, IMEI_A, IMEI_B, Unit, hotplug, modem, program
from tests.adapters.scripted import Notes, ScriptedModem, until
from tests.virtual_time import run

EC25 = "2c7c:0125"


def ec25(first: int, unit: Unit, spare: Unit | None = None) -> dict[int, tuple[str, Unit]]:
    """The four ttys of an EC25, numbered from ``first``; AT on the third and fourth."""
    diag, gps = ScriptedModem(), ScriptedModem()
    units = (diag, gps, unit, spare or modem())
    return {n: (f"/dev/ttyUSB{first + n}", one) for n, one in enumerate(units)}


def now() -> float:
    return asyncio.get_running_loop().time()


# Without configuration ----------------------------------------------------------------------------


def test_a_stick_becomes_a_phone_without_configuration() -> None:
    async def main() -> None:
        async with hotplug(auto=True) as rig:
            rig.board.plug("1-1.3", EC25, ec25(0, modem()))
            await until(lambda: rig.adopted, within=5)
            assert rig.adopted[0].identity.imei == IMEI_A
            assert rig.adopted[0].identity.iccid == ICCID_A
            found = await rig.finds("found-1")
            assert found == Found("/dev/ttyUSB2", "quectel", "1-1.3", ("/dev/ttyUSB3",))
            assert rig.board.devices_opened == ["/dev/ttyUSB2"]

    run(main())


def test_ports_for_position_and_diagnostics_are_never_opened() -> None:
    async def main() -> None:
        async with hotplug(auto=True) as rig:
            rig.board.plug(
                "1-1", EC25, ec25(0, ScriptedModem(on={"AT": []}), ScriptedModem(on={"AT": []}))
            )
            await asyncio.sleep(3600)
            assert len(rig.board.opened) > 10
            assert set(rig.board.devices_opened) == {"/dev/ttyUSB2", "/dev/ttyUSB3"}
            assert not rig.adopted

    run(main())


def test_what_may_be_anything_is_left_alone_unless_it_is_named() -> None:
    async def main() -> None:
        async with hotplug(auto=True) as rig:
            for usb_path, id_ in (("1-1", "1a86:7523"), ("1-2", "2341:0043"), ("1-3", "0403:6001")):
                rig.board.plug(usb_path, id_, {0: (f"/dev/ttyUSB{usb_path[-1]}", modem())})
            rig.want("other", imei=IMEI_A)  # not even for a phone that looks for its modem
            rig.want("gsm0", usb_path="1-1")
            assert await rig.finds("gsm0") == Found("/dev/ttyUSB1", "generic", "1-1")
            rig.want("gsm1", device="/dev/ttyUSB3")
            assert await rig.finds("gsm1") == Found("/dev/ttyUSB3", "generic", "1-3")
            await asyncio.sleep(600)
            assert rig.board.opened == []
            assert rig.adopted == []

    run(main())


def test_an_unlisted_stick_is_asked_if_its_driver_is_a_modems() -> None:
    async def main() -> None:
        async with hotplug(auto=True) as rig:
            rig.board.plug("1-1", "ffff:0001", {0: ("/dev/ttyUSB0", modem())}, driver="option")
            await until(lambda: rig.adopted, within=10)

    run(main())


def test_a_replug_that_nobody_told_of_is_seen_by_the_devices_number() -> None:
    async def main() -> None:
        async with hotplug() as rig:
            rig.want("a", imei=IMEI_A)
            rig.board.plug("1-1", EC25, ec25(0, modem(IMEI_A)))
            await rig.finds("a")
            rig.board.plug("1-1", EC25, ec25(0, modem(IMEI_B)))
            await asyncio.sleep(5)
            assert await rig.misses("a")

    run(main())


def test_without_auto_nothing_is_opened_that_nobody_wants() -> None:
    async def main() -> None:
        async with hotplug() as rig:
            rig.board.plug("1-1", EC25, ec25(0, modem()))
            await asyncio.sleep(600)
            assert rig.board.opened == []
            rig.want("gsm0", imei=IMEI_A)
            assert (await rig.finds("gsm0")).device == "/dev/ttyUSB2"

    run(main())


# Debounce -----------------------------------------------------------------------------------------


def test_ttys_may_come_one_by_one() -> None:
    """Unlisted: the port that answers comes last, and is waited for."""

    async def main() -> None:
        async with hotplug(auto=True) as rig:
            rig.board.plug("1-1", "12d1:ffff", {})
            for number in range(4):
                unit = modem() if number == 3 else lost("not yet")
                rig.board.add("1-1", number, f"/dev/ttyUSB{number}", unit)
                assert rig.board.opened == []
                await asyncio.sleep(1.4)
            await until(lambda: rig.adopted, within=10)
            assert rig.board.opened[0][0] >= 3 * 1.4 + 1.5

    run(main())


def test_a_device_that_never_comes_to_rest_is_asked_in_the_end() -> None:
    async def main() -> None:
        async with hotplug(auto=True) as rig:
            rig.board.plug("1-1", "12d1:ffff", {})
            for number in range(30):
                rig.board.add("1-1", number, f"/dev/ttyUSB{number}", lost("no"))
                await asyncio.sleep(1)
            assert CEILING <= rig.board.opened[0][0] <= CEILING + 1

    run(main())


def test_a_stick_whose_ports_are_all_there_is_asked_at_once() -> None:
    async def main() -> None:
        async with hotplug(auto=True) as rig:
            rig.board.plug("1-1", EC25, ec25(0, modem()))
            await until(lambda: rig.adopted, within=5)
            assert rig.board.opened[0][0] < 0.1

    run(main())


def test_a_stick_that_was_here_before_is_asked_as_soon_as_the_port_that_counted_is_there() -> None:
    async def main() -> None:
        async with hotplug() as rig:
            rig.want("a", imei=IMEI_A)
            for first in (0, 5):
                rig.board.plug("1-1", "12d1:ffff", {})
                rig.board.add("1-1", 0, f"/dev/ttyUSB{first}", lost("no"))
                await asyncio.sleep(0.1)
                rig.board.add("1-1", 3, f"/dev/ttyUSB{first + 3}", modem())
                began = now()
                assert (await rig.finds("a")).device == f"/dev/ttyUSB{first + 3}"
                assert (now() - began < 1) is (first == 5)
                rig.board.pull("1-1")
                await asyncio.sleep(1)
            assert rig.board.devices_opened == ["/dev/ttyUSB0", "/dev/ttyUSB3", "/dev/ttyUSB8"]

    run(main())


# Binding ------------------------------------------------------------------------------------------


def test_two_identical_sticks_that_change_places_keep_their_phones() -> None:
    async def main() -> None:
        async with hotplug() as rig:
            rig.want("a", imei=IMEI_A)
            rig.want("b", imei=IMEI_B)
            rig.board.plug("1-1", EC25, ec25(0, modem(IMEI_A)))
            rig.board.plug("1-2", EC25, ec25(4, modem(IMEI_B)))
            assert (await rig.finds("a")).device == "/dev/ttyUSB2"
            assert (await rig.finds("b")).device == "/dev/ttyUSB6"
            rig.board.pull("1-1")
            rig.board.pull("1-2")
            assert await rig.misses("a", 5)
            rig.board.plug("1-2", EC25, ec25(0, modem(IMEI_A)))
            rig.board.plug("1-1", EC25, ec25(4, modem(IMEI_B)))
            assert await rig.finds("a") == Found(
                "/dev/ttyUSB2", "quectel", "1-2", ("/dev/ttyUSB3",)
            )
            assert await rig.finds("b") == Found(
                "/dev/ttyUSB6", "quectel", "1-1", ("/dev/ttyUSB7",)
            )

    run(main())


def test_found_phones_keep_their_sticks_when_these_change_places() -> None:
    async def main() -> None:
        async with hotplug(auto=True) as rig:
            for turn in (("1-1", "1-2"), ("1-2", "1-1")):
                for usb_path, imei, first in zip(turn, (IMEI_A, IMEI_B), (0, 4), strict=True):
                    rig.board.plug(usb_path, EC25, ec25(first, modem(imei)))
                    await asyncio.sleep(5)
                assert len(rig.adopted) == 2
                assert (await rig.finds("found-1")).usb_path == turn[0]
                assert (await rig.finds("found-2")).usb_path == turn[1]
                rig.board.pull("1-1")
                rig.board.pull("1-2")
                await asyncio.sleep(1)

    run(main())


def test_renumbered_ttys_make_no_difference() -> None:
    async def main() -> None:
        async with hotplug() as rig:
            rig.want("a", imei=IMEI_A)
            rig.board.plug("1-1", EC25, ec25(0, modem()))
            assert (await rig.finds("a")).device == "/dev/ttyUSB2"
            rig.board.pull("1-1")
            await asyncio.sleep(1)
            rig.board.plug("1-1", EC25, ec25(5, modem()))
            assert (await rig.finds("a")).device == "/dev/ttyUSB7"

    run(main())


def test_imei_comes_before_iccid_before_place_before_device() -> None:
    async def main() -> None:
        async with hotplug(auto=True) as rig:
            rig.want("by device", device="/dev/ttyUSB2")
            rig.want("by place", usb_path="1-1")
            rig.want("by sim", iccid=ICCID_A[:-1])
            rig.want("by imei", imei=IMEI_A[:14] + "01")
            for expected in ("by imei", "by sim", "by place", "by device"):
                rig.board.plug("1-1", EC25, ec25(0, modem()))
                assert (await rig.finds(expected)).device == "/dev/ttyUSB2"
                rig.board.pull("1-1")
                await asyncio.sleep(1)
                rig.hotplug._seekers.remove(rig.seekers[expected])
            assert rig.adopted == []

    run(main())


def test_what_the_configuration_names_comes_before_what_was_found() -> None:
    async def main() -> None:
        async with hotplug(auto=True) as rig:
            for name, found in (
                ("known by imei", Wanted(imei=IMEI_A, found=True)),
                ("known by place", Wanted(usb_path="1-1", found=True)),
            ):
                rig.seekers[name] = rig.hotplug.where(name, found)
            rig.want("gsm0", usb_path="1-1")
            rig.board.plug("1-1", EC25, ec25(0, modem()))
            assert (await rig.finds("gsm0")).device == "/dev/ttyUSB2"
            assert await rig.misses("known by imei")

    run(main())


def test_a_sim_that_moves_takes_its_phone_along() -> None:
    async def main() -> None:
        async with hotplug() as rig:
            rig.want("sim a", iccid=ICCID_A)
            rig.want("sim b", iccid=ICCID_B)
            rig.board.plug("1-1", EC25, ec25(0, modem(IMEI_A, ICCID_B)))
            rig.board.plug("1-2", EC25, ec25(4, modem(IMEI_B, ICCID_A)))
            assert (await rig.finds("sim a")).usb_path == "1-2"
            assert (await rig.finds("sim b")).usb_path == "1-1"

    run(main())


def test_a_device_that_is_another_phones_modem_is_not_taken() -> None:
    async def main() -> None:
        async with hotplug() as rig:
            rig.want("by device", device="/dev/ttyUSB2")
            rig.want("by imei", imei=IMEI_A)
            rig.board.plug("1-1", EC25, ec25(0, modem(IMEI_A)))
            assert (await rig.finds("by imei")).device == "/dev/ttyUSB2"
            assert await rig.misses("by device")

    run(main())


def test_a_device_of_the_configuration_is_taken_as_it_is() -> None:
    """No question is asked: even the port is the one that was named."""

    async def main() -> None:
        async with hotplug(auto=True) as rig:
            rig.want("gsm0", device="/dev/ttyUSB3")
            rig.want("serial", device="/dev/ttyAMA0")
            rig.want("far", device="tcp://10.0.0.7:3001")
            rig.board.plug("1-1", EC25, ec25(0, modem()))
            found = await rig.finds("gsm0")
            assert found == Found("/dev/ttyUSB3", "quectel", "1-1", ("/dev/ttyUSB2",))
            assert await rig.finds("far") == Found("tcp://10.0.0.7:3001")
            assert await rig.misses("serial")
            rig.board.units["/dev/ttyAMA0"] = modem()
            began = now()
            assert await rig.finds("serial") == Found("/dev/ttyAMA0")
            assert now() - began <= 1
            assert rig.board.opened == []

    run(main())


def test_a_usb_tty_that_udev_does_not_tell_of_is_taken_after_a_while() -> None:
    async def main() -> None:
        async with hotplug() as rig:
            rig.want("gsm0", device="/dev/ttyUSB0")
            rig.board.units["/dev/ttyUSB0"] = modem()
            assert await rig.misses("gsm0", 2)
            assert await rig.finds("gsm0", 6) == Found("/dev/ttyUSB0")

    run(main())


@pytest.mark.parametrize("iccid", [ICCID_A, ""])
def test_a_modem_without_an_imei_is_known_by_its_sim_or_its_place(iccid: str) -> None:
    async def main() -> None:
        async with hotplug(auto=True) as rig:
            rig.board.plug("1-1", EC25, ec25(0, modem("000000000000000", iccid)))
            await until(lambda: rig.adopted, within=60)
            assert rig.adopted[0].identity.imei is None
            assert (await rig.finds("found-1")).usb_path == "1-1"

    run(main())


def test_two_modems_of_one_imei_are_two_phones(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        async with hotplug(auto=True) as rig:
            rig.board.plug("1-1", EC25, ec25(0, modem(IMEI_A, ICCID_A)))
            await asyncio.sleep(10)
            rig.board.plug("1-2", EC25, ec25(4, modem(IMEI_A, ICCID_B)))
            await asyncio.sleep(10)
            assert (await rig.finds("found-1")).usb_path == "1-1"
            assert (await rig.finds("found-2")).usb_path == "1-2"

    run(main())
    assert "same IMEI" in caplog.text


def test_numbers_are_compared_as_the_standards_say() -> None:
    assert same_imei("356938035643809", "3569380356438012")
    assert not same_imei("356938035643809", "356938035643819")
    assert not same_imei(None, None)
    assert same_iccid(ICCID_A, ICCID_A[:-1])
    assert not same_iccid(ICCID_A, ICCID_B)
    assert not same_iccid("", ICCID_B)


def test_a_sim_that_is_busy_is_waited_for_where_it_tells_whose_modem_it_is() -> None:
    async def main() -> None:
        async with hotplug(auto=True) as rig:
            rig.want("by sim", iccid=ICCID_A)
            busy = modem()
            busy.on["AT+CCID"] = lambda line: (
                [f"+CCID: {ICCID_A}", "OK"] if now() > 20 else ["+CME ERROR: 14"]
            )
            rig.board.plug("1-1", EC25, ec25(0, busy))
            assert (await rig.finds("by sim", 25)).usb_path == "1-1"
            assert rig.adopted == []

    run(main())


def test_a_port_that_is_named_is_taken_though_it_does_not_answer() -> None:
    async def main() -> None:
        async with hotplug(auto=True) as rig:
            rig.want("other", imei=IMEI_B)
            rig.want("gsm0", device="/dev/ttyUSB3")
            silent = modem(AT=[])
            rig.board.plug("1-1", EC25, ec25(0, silent, silent))
            assert (await rig.finds("gsm0")).device == "/dev/ttyUSB3"

    run(main())


# Asking -------------------------------------------------------------------------------------------


def test_a_stick_that_starts_slowly_is_asked_longer() -> None:
    async def main() -> None:
        async with hotplug(auto=True) as rig:
            slow = modem()
            slow.on["AT"] = lambda line: ["OK"] if now() > 8 else []
            rig.board.plug(
                "1-1", "1bc7:1060", {4: ("/dev/ttyUSB4", slow), 5: ("/dev/ttyUSB5", modem())}
            )
            await until(lambda: rig.adopted, within=20)
            assert rig.board.devices_opened == ["/dev/ttyUSB4"]

    run(main())


@pytest.mark.parametrize(
    ("says", "words"),
    [
        ("$GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,*47\r\n", "satellite"),
        ("\x7e\x13\x88\x99\xaa\xbb\xcc\xdd\xee\xff\x01\x02\x03\x04\x05\x7e" * 2, "no text"),
        ("", "does not answer AT"),
        ("AT\r", "does not answer AT"),
    ],
)
def test_what_is_no_modem_is_not_taken_for_one(says: str, words: str) -> None:
    async def main() -> None:
        async with hotplug(auto=True) as rig:
            noise = ScriptedModem()

            def answer(line: str) -> list[str]:
                noise.say(says)
                return []

            noise.on["AT"] = answer
            rig.board.plug(
                "1-1", "12d1:ffff", {0: ("/dev/ttyUSB0", noise), 1: ("/dev/ttyUSB1", modem())}
            )
            await until(lambda: rig.adopted, within=10)
            assert rig.board.devices_opened == ["/dev/ttyUSB0", "/dev/ttyUSB1"]
            rig.board.pull("1-1")
            rig.board.plug("1-1", "12d1:ffff", {0: ("/dev/ttyUSB0", noise)})
            await until(rig.hotplug.problems, within=10)
            assert words in rig.hotplug.problems()[0]

    run(main())


@pytest.mark.parametrize("answer", [["ERROR"], ["+CME ERROR: 515"], ["COMMAND NOT SUPPORT"]])
def test_an_error_is_a_sign_of_life_too(answer: list[str]) -> None:
    async def main() -> None:
        async with hotplug(auto=True) as rig:
            rig.board.plug("1-1", EC25, ec25(0, modem(AT=answer, ATE0=answer)))
            await until(lambda: rig.adopted, within=5)
            assert rig.adopted[0].identity.imei == IMEI_A

    run(main())


def test_chatter_and_a_wide_echo_do_not_hide_who_it_is() -> None:
    async def main() -> None:
        async with hotplug(auto=True) as rig:
            chatty = modem()
            chatty.echo = True
            chatty.on["AT+CGSN"] = ["^RSSI:12", IMEI_A, "^BOOT:1,0,0,0,6", "OK"]
            rig.board.plug("1-1", EC25, ec25(0, chatty))
            await until(lambda: rig.adopted, within=5)
            assert rig.adopted[0].identity.imei == IMEI_A

    run(main())


def test_a_stick_that_does_not_answer_is_asked_again_and_named_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def main() -> None:
        async with hotplug(auto=True) as rig:
            dead = modem(AT=[])
            rig.board.plug("1-1", EC25, ec25(0, dead, dead))
            await asyncio.sleep(600)
            assert caplog.text.count("does not answer as a modem") == 1
            assert "1-1" in rig.hotplug.problems()[0]
            dead.on["AT"] = ["OK"]
            await until(lambda: rig.adopted, within=120)
            assert rig.hotplug.problems() == []

    run(main())


def test_unplugged_while_it_is_asked() -> None:
    async def main() -> None:
        async with hotplug(auto=True) as rig:
            for _ in range(3):
                rig.board.plug("1-1", EC25, ec25(0, modem(AT=[])))
                await asyncio.sleep(0.5)
                rig.board.pull("1-1")
                await asyncio.sleep(0.5)
            rig.board.plug("1-1", EC25, ec25(0, modem()))
            await until(lambda: rig.adopted, within=5)
            assert rig.hotplug.problems() == []

    run(main())


# What a person has to do --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("id_", "words", "hint"),
    [
        ("12d1:1446", "storage mode", "sudo usb_modeswitch -v 12d1 -p 1446 -J"),
        ("12d1:1f01", "storage mode", "sudo usb_modeswitch -v 12d1 -p 1f01 -X"),
        ("19d2:2000", "storage mode", "sudo usb_modeswitch -v 19d2 -p 2000 -K"),
        ("1bbb:f000", "storage mode", "sudo apt install usb-modeswitch"),
        ("12d1:14dc", "HiLink", "stick with serial ports"),
        ("19d2:1405", "HiLink", "stick with serial ports"),
        ("05c6:9008", "out of order", "only the maker's tool"),
        ("12d1:1003", "no serial port", "sudo usb_modeswitch -v 12d1 -p 1003 -H"),
        ("2c7c:0125", "no serial port", "echo 2c7c 0125 | sudo tee"),
        ("0af0:7501", "no serial port", "sudo apt install usb-modeswitch"),
    ],
)
def test_a_stick_that_is_no_modem_yet_is_named_with_what_mends_it(
    id_: str, words: str, hint: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        async with hotplug(auto=True) as rig:
            rig.want("gsm0", usb_path="1-1")
            rig.want("gsm1", usb_path="1-2")
            rig.board.plug("1-1", id_, {})
            await asyncio.sleep(NO_PORTS - 1)
            assert rig.hotplug.problems() == []
            await asyncio.sleep(2)
            [problem] = rig.hotplug.problems()
            assert words in problem
            assert hint in problem
            with pytest.raises(Absent, match=words) as raised:
                await rig.finds("gsm0")
            assert hint in (raised.value.fault.hint or "")
            assert await rig.misses("gsm0", 3600)  # told once
            assert await rig.misses("gsm1")
            assert sum(words in record.getMessage() for record in caplog.records) == 1
            rig.board.pull("1-1")
            rig.board.plug("1-1", EC25, ec25(0, modem()))
            assert (await rig.finds("gsm0", 5)).device == "/dev/ttyUSB2"
            assert rig.hotplug.problems() == []

    run(main())


def test_the_problem_of_another_stick_is_not_that_of_a_modem_that_was_seen_elsewhere() -> None:
    async def main() -> None:
        async with hotplug(auto=True) as rig:
            imei = "861234567890123"
            rig.want("gsm0", imei=imei)
            rig.want("gsm1", imei="861234567890999")
            rig.board.plug("1-1", EC25, ec25(0, modem(imei)))
            await rig.finds("gsm0", 5)
            rig.board.pull("1-1")
            rig.board.plug("1-2", "12d1:1446", {})
            await asyncio.sleep(NO_PORTS + 1)
            assert await rig.misses("gsm0")
            with pytest.raises(Absent, match="storage mode"):  # it may be this one
                await rig.finds("gsm1")

    run(main())


def test_another_product_of_a_modem_maker_is_no_problem() -> None:
    async def main() -> None:
        async with hotplug(auto=True) as rig:
            for number, id_ in enumerate(("12d1:ffff", "1a86:7523", "046d:c52b")):
                rig.board.plug(f"1-{number}", id_, {})
            await asyncio.sleep(3600)
            assert rig.hotplug.problems() == []

    run(main())


def test_a_dead_modem_is_not_opened_though_it_has_a_port() -> None:
    async def main() -> None:
        async with hotplug(auto=True) as rig:
            rig.board.plug("1-1", "05c6:9008", {0: ("/dev/ttyUSB0", modem())})
            await asyncio.sleep(60)
            assert rig.board.opened == []
            assert "out of order" in rig.hotplug.problems()[0]

    run(main())


def test_who_holds_the_port_is_told_to_the_phone_that_may_mean_it() -> None:
    async def main() -> None:
        async with hotplug() as rig:
            rig.want("gsm0", imei=IMEI_A)
            held = lost("/dev/ttyUSB2 is held by ModemManager (pid 612)", hint="keep it off")
            rig.board.plug("1-1", EC25, ec25(0, held, held))
            with pytest.raises(Absent, match=r"held by ModemManager \(pid 612\)") as raised:
                await rig.finds("gsm0")
            assert raised.value.fault.hint == "keep it off"
            rig.board.units["/dev/ttyUSB2"] = modem()
            assert (await rig.finds("gsm0", 70)).device == "/dev/ttyUSB2"

    run(main())


def test_modemmanager_is_suspected_where_a_port_talks_nonsense(tmp_path: Path) -> None:
    async def main() -> None:
        async with hotplug(auto=True) as rig:
            silent = modem(AT=[])
            rig.board.plug("1-1", EC25, ec25(0, silent, silent))
            await until(rig.hotplug.problems, within=30)
            assert "ID_MM_DEVICE_IGNORE" in rig.hotplug.problems()[0]

    with program("ModemManager", tmp_path):
        run(main())


def test_a_serial_adapter_that_brltty_has_taken_is_told(tmp_path: Path) -> None:
    async def main() -> None:
        async with hotplug(auto=True) as rig:
            rig.board.plug("1-1", "1a86:7523", {})
            await asyncio.sleep(NO_PORTS + 1)
            [problem] = rig.hotplug.problems()
            assert "brltty (pid " in problem
            assert "apt remove brltty" in problem

    with program("brltty", tmp_path):
        run(main())


def test_the_ports_are_shown() -> None:
    async def main() -> None:
        async with hotplug(auto=True) as rig:
            rig.board.plug("1-1", EC25, ec25(0, modem()), driver="option")
            rig.board.plug("1-2", "12d1:1446", {})
            await asyncio.sleep(30)
            rows = rig.hotplug.ports()
            assert [(row["device"], row["role"], row["used"]) for row in rows] == [
                ("/dev/ttyUSB0", "diag", False),
                ("/dev/ttyUSB1", "gps", False),
                ("/dev/ttyUSB2", "at", True),
                ("/dev/ttyUSB3", "at", False),
                ("", "unknown", False),
            ]
            assert {row["id"] for row in rows} == {EC25, "12d1:1446"}
            assert rows[2]["phone"] == "found-1"
            assert rows[2]["driver"] == "option"
            assert "storage mode" in rows[4]["problem"]

    run(main())


# With an adapter and its supervisor ---------------------------------------------------------------


def test_a_phone_is_back_within_five_seconds_of_a_replug_however_often() -> None:
    async def main() -> None:
        async with hotplug() as rig:
            adapter = ModemAdapter(
                rig.want("gsm0", imei=IMEI_A), ModemSettings(), open_streams=rig.board.open
            )
            sink = Notes()
            life = asyncio.get_running_loop().create_task(supervise("gsm0", adapter, sink))
            for turn in range(30):
                unit = modem()
                rig.board.plug("1-1", EC25, ec25(turn % 7, unit))
                await until(
                    lambda: sink.healths and sink.healths[-1][0] is Health.AVAILABLE, within=5
                )
                assert sink.known["usb_path"] == "1-1"
                await asyncio.sleep(turn)
                rig.board.pull("1-1")
                unit.vanish()
                await until(lambda: "is not there" in sink.healths[-1][1], within=3)
                assert sink.hints[-1] == "is it plugged in?"
                await asyncio.sleep(turn * 40)
            life.cancel()
            await asyncio.wait([life])

    run(main())


def test_a_replug_ends_the_pause_of_a_phone_that_kept_failing() -> None:
    async def main() -> None:
        async with hotplug() as rig:
            seeker = rig.want("gsm0", imei=IMEI_A)
            adapter = ModemAdapter(seeker, ModemSettings(), open_streams=rig.board.open)
            sink = Notes()
            life = asyncio.get_running_loop().create_task(
                supervise("gsm0", adapter, sink, rig.hotplug.moved("gsm0"))
            )
            refusing = modem()
            refusing.on["AT+CMGF"] = ["ERROR"]
            rig.board.plug("1-1", EC25, ec25(0, refusing))
            await asyncio.sleep(1000)
            assert "PDU mode" in sink.healths[-1][1]
            rig.board.pull("1-1")
            await until(lambda: "is not there" in sink.healths[-1][1], within=2)
            await asyncio.sleep(600)
            rig.board.plug("1-2", EC25, ec25(4, modem()))
            await until(lambda: sink.healths[-1][0] is Health.AVAILABLE, within=5)
            assert rig.hotplug.moved("nobody") is None
            life.cancel()
            await asyncio.wait([life])

    run(main())


def test_a_thousand_replugs_leave_nothing_behind() -> None:
    async def main() -> None:
        async with hotplug() as rig:
            adapter = ModemAdapter(
                rig.want("gsm0", imei=IMEI_A), ModemSettings(), open_streams=rig.board.open
            )
            life = asyncio.get_running_loop().create_task(supervise("gsm0", adapter, Notes()))
            before: tuple[int, int, int] | None = None
            for turn in range(1000):
                unit = modem()
                rig.board.plug("1-1", EC25, ec25(turn % 7, unit))
                await until(lambda: adapter._session is not None, within=5)
                rig.board.pull("1-1")
                unit.vanish()
                await asyncio.sleep(2)
                left = (
                    len(os.listdir("/proc/self/fd")),
                    threading.active_count(),
                    len(asyncio.all_tasks()),
                )
                before = before or left
            assert left == before
            life.cancel()
            await asyncio.wait([life])

    run(main())


def test_what_mends_a_stick_stays_with_its_phone_until_it_is_mended() -> None:
    async def main() -> None:
        async with hotplug() as rig:
            adapter = ModemAdapter(
                rig.want("gsm0", usb_path="1-1"), ModemSettings(), open_streams=rig.board.open
            )
            sink = Notes()
            life = asyncio.get_running_loop().create_task(supervise("gsm0", adapter, sink))
            rig.board.plug("1-1", "12d1:1446", {})
            await asyncio.sleep(600)
            assert "storage mode" in sink.healths[-1][1]
            assert "usb_modeswitch" in (sink.hints[-1] or "")
            rig.board.pull("1-1")
            rig.board.plug("1-1", "12d1:1436", {n: (f"/dev/ttyUSB{n}", modem()) for n in range(5)})
            await until(lambda: sink.healths[-1][0] is Health.AVAILABLE, within=5)
            life.cancel()
            await asyncio.wait([life])

    run(main())
