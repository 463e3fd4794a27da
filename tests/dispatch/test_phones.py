"""How phones are, and what lifts what."""

import asyncio
from datetime import timedelta

from smsd.model.phone import Health
from tests.rig import Rig, Scripted
from tests.virtual_time import now, run


def test_a_phone_is_unavailable_until_it_says_otherwise() -> None:
    async def main() -> None:
        rig = Rig()
        phone = await rig.add("gsm0", Scripted())
        fresh = rig.phones.add(phone.record, Scripted())
        assert (fresh.health, fresh.standing(now()).idle) == (Health.UNAVAILABLE, 1)
        assert rig.phones.all() == [fresh]
        assert phone.record.id in rig.phones
        assert 99 not in rig.phones

    run(main())


def test_news_is_news_once_and_since_is_when_the_health_changed() -> None:
    async def main() -> None:
        rig = Rig()
        phone = await rig.add("gsm0", Scripted())
        await asyncio.sleep(10)
        assert rig.phones.set_health(phone, Health.UNAVAILABLE, "unplugged")
        began = phone.since
        await asyncio.sleep(10)
        assert not rig.phones.set_health(phone, Health.UNAVAILABLE, "unplugged")
        assert rig.phones.set_health(phone, Health.UNAVAILABLE, "not registered")
        assert phone.since == began
        assert rig.phones.set_health(phone, Health.AVAILABLE, "")
        assert phone.since == now()

    run(main())


def test_a_bar_outlives_an_unplug_and_is_lifted_by_its_end_alone() -> None:
    async def main() -> None:
        rig = Rig()
        phone = await rig.add("gsm0", Scripted())
        until = now() + timedelta(seconds=60)
        rig.phones.set_health(phone, Health.AVAILABLE, "")
        assert rig.phones.set_health(phone, Health.LIMIT_REACHED, "the operator", until=until)
        assert not rig.phones.set_health(phone, Health.LIMIT_REACHED, "again", until=until)
        assert phone.standing(now()).health is Health.LIMIT_REACHED
        rig.phones.set_health(phone, Health.UNAVAILABLE, "unplugged")
        assert phone.standing(now()).health is Health.UNAVAILABLE
        rig.phones.set_health(phone, Health.AVAILABLE, "")
        assert phone.standing(now()).words == "again"
        await asyncio.sleep(60)
        assert phone.standing(now()).health is Health.AVAILABLE

    run(main())


def test_a_disabled_phone_stands_so_and_a_busy_one_is_not_idle() -> None:
    async def main() -> None:
        rig = Rig()
        phone = await rig.add("gsm0", Scripted(slots=2))
        phone.busy = 3
        assert phone.standing(now()).idle == 0
        phone.disabled = True
        assert phone.standing(now()).health is Health.DISABLED

    run(main())
