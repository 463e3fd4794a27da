"""Names keep their ids over restarts, and a PIN is tried once."""

from datetime import timedelta
from pathlib import Path

from tests.rig import Rig
from tests.virtual_time import run


def test_an_account_keeps_its_id(tmp_path: Path) -> None:
    async def main() -> None:
        ids = []
        for names in (("app", "other"), ("other", "app")):
            rig = Rig(tmp_path / "db")
            ids.append({name: await rig.store.registry.account(name) for name in names})
            rig.database.close()
        assert ids[0] == ids[1] == {"app": 1, "other": 2}

    run(main())


def test_a_phone_keeps_its_id_and_one_that_is_gone_keeps_its_history() -> None:
    async def main() -> None:
        rig = Rig()
        configure = rig.store.registry.configure_phones
        first = await configure([("a", "modem", "{}", 1), ("b", "modem", "{}", 0)])
        again = await configure([("b", "modem", "{}", 0), ("c", "smsmode", "{}", 5)])
        assert again == [first[1], first[1] + 1]
        shown = await rig.store.views.page("phone", account=None)
        assert [(row["name"], row["priority"]) for row in shown] == [("b", 0), ("c", 5)]
        back = await configure([("a", "modem", "{}", 2)])
        assert back == [first[0]]
        assert len(await rig.rows("phone")) == 3
        rig.database.close()

    run(main())


def test_an_unchanged_phone_is_not_updated() -> None:
    async def main() -> None:
        rig = Rig()
        for priority in (1, 1, 2):
            await rig.store.registry.configure_phones([("a", "modem", "{}", priority)])
            [row] = await rig.rows("phone")
            assert (row["updated_at"] is not None) is (priority == 2)
        rig.database.close()

    run(main())


def test_the_phones_that_a_person_switched_off() -> None:
    async def main() -> None:
        rig = Rig()
        ids = await rig.store.registry.configure_phones([("a", "m", "", 0), ("b", "m", "", 0)])
        assert await rig.store.registry.disabled_phones() == frozenset()
        rig.database._connection.execute("UPDATE phone SET disabled = 1 WHERE name = 'b'")
        assert await rig.store.registry.disabled_phones() == {ids[1]}
        rig.database.close()

    run(main())


def test_a_pin_has_one_try_on_a_sim_until_it_was_accepted(tmp_path: Path) -> None:
    async def main() -> None:
        rig = Rig(tmp_path / "db")
        assert await rig.store.registry.claim_pin("sim", "1234", 3)
        rig.database.close()
        rig = Rig(tmp_path / "db")
        registry = rig.store.registry
        for tries in (None, 2, 1):
            assert not await registry.claim_pin("sim", "1234", tries)
        assert await registry.claim_pin("sim", "4321", None)
        assert await registry.claim_pin("other sim", "1234", None)
        await registry.settle_pin("sim", "4321", refused=False)
        assert await registry.claim_pin("sim", "4321", 2)
        assert not [v for row in await rig.rows("pin_attempt") for v in row.values() if v == "1234"]
        rig.database.close()

    run(main())


def test_a_pin_whose_try_we_did_not_live_to_settle_may_be_tried_where_no_try_is_gone() -> None:
    async def main() -> None:
        rig = Rig()
        registry = rig.store.registry
        assert await registry.claim_pin("sim", "1234", 3)
        assert await registry.claim_pin("sim", "1234", 3)
        await registry.settle_pin("sim", "1234", refused=True)
        assert not await registry.claim_pin("sim", "1234", 3)
        rig.database.close()

    run(main())


IMEI = "356938035643809"


def test_a_modem_that_nobody_configured_keeps_its_phone() -> None:
    async def main() -> None:
        rig = Rig()
        registry = rig.store.registry
        names = ["modem-643809", "modem-35643809"]
        id_, name = await registry.adopt_phone(names, IMEI, '{"source": "found"}', ())
        assert name == "modem-643809"
        assert await registry.adopt_phone(names, IMEI[:14] + "12", "{}", ()) == (id_, name)
        other, long = await registry.adopt_phone(names, "111938035643809", "{}", ())
        assert (other != id_, long) == (True, "modem-35643809")
        third, longer = await registry.adopt_phone(names, "222938035643809", "{}", ())
        assert longer == "modem-35643809-2"
        # A phone at work is not taken over, whatever it was known by.
        fourth, _ = await registry.adopt_phone(["x"], IMEI, "{}", {id_})
        assert len({id_, other, third, fourth}) == 4
        rig.database.close()

    run(main())


def test_a_modem_without_an_imei_is_known_by_the_name_of_its_phone() -> None:
    async def main() -> None:
        rig = Rig()
        adopt = rig.store.registry.adopt_phone
        first = await adopt(["modem-usb-1-1.3"], None, "{}", ())
        assert await adopt(["modem-usb-1-1.3"], None, "{}", ()) == first
        assert await adopt(["modem-usb-1-1.3"], None, "{}", {first[0]}) != first
        rig.database.close()

    run(main())


def test_phones_that_were_found_are_there_after_a_restart_for_a_while() -> None:
    async def main() -> None:
        rig = Rig()
        registry = rig.store.registry
        id_, name = await registry.adopt_phone(["modem-1"], IMEI, '{"source": "found"}', ())
        await registry.configure_phones([("gsm0", "modem", '{"source": "file"}', 0)])
        found = await registry.found_phones(rig.now() - timedelta(days=1))
        assert found == [(id_, name, IMEI)]
        assert [row["name"] for row in await rig.store.views.page("phone", account=None)] == [
            "modem-1", "gsm0",
        ]  # fmt: skip
        await registry.configure_phones([])
        assert await registry.found_phones(rig.now() + timedelta(days=1)) == []
        rig.database.close()

    run(main())


def test_a_phone_that_is_configured_by_its_imei_is_the_one_that_was_found() -> None:
    async def main() -> None:
        rig = Rig()
        registry = rig.store.registry
        id_, _ = await registry.adopt_phone(["modem-1"], IMEI, '{"source": "found"}', ())
        rows = [("gsm0", "modem", "{}", 0), ("gsm1", "modem", "{}", 0)]
        ids = await registry.configure_phones(rows, {"gsm0": IMEI[:14] + "00"})
        assert ids[0] == id_
        assert len(await rig.rows("phone")) == 2
        # A name that is there already stays what it is.
        assert await registry.configure_phones(rows, {"gsm1": IMEI}) == ids
        rig.database.close()

    run(main())


def test_a_modem_is_one_phones_at_a_time() -> None:
    async def main() -> None:
        rig = Rig()
        registry = rig.store.registry
        a, b = await registry.configure_phones([("a", "m", "", 0), ("b", "m", "", 0)])
        await registry.remember_modem(a, IMEI)
        await registry.remember_modem(b, IMEI[:14] + "00")
        assert [row["imei"] for row in await rig.rows("phone")] == [None, IMEI[:14] + "00"]
        assert (await rig.rows("phone"))[1]["seen_at"] is not None
        rig.database.close()

    run(main())
