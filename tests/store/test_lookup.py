"""What a provider is asked about: the parts that may have gone, and the ids that are taken."""

from smsd.model.message import FaultClass
from tests.rig import ALICE, BOB, Rig, Scripted, claimed, draft, fault, send_part
from tests.virtual_time import now, run


def test_doubts_are_those_of_the_phone_in_flight_or_given_up() -> None:
    async def main() -> None:
        rig = Rig()
        phone = (await rig.add("cloud", Scripted(cloud=True))).record.id
        reports = rig.store.reports
        await rig.send(draft("went", ALICE))
        await send_part(rig, await claimed(rig), 1, 1, "id1")
        await rig.send(draft("lost", ALICE))
        lost = await claimed(rig)
        await rig.store.outgoing.begin_part(lost, 1, 1)
        await rig.store.outgoing.doubt(lost.attempt, fault(FaultClass.AMBIGUOUS))
        await rig.send(draft("going", BOB))
        going = await claimed(rig)
        await rig.store.outgoing.begin_part(going, 1, 1)
        found = await reports.doubts(phone)
        assert [(d.attempt, d.recipient, d.text, d.begun_at, d.in_flight) for d in found] == [
            (lost.attempt, ALICE, "lost", now(), False),
            (going.attempt, BOB, "going", now(), True),
        ]
        assert await reports.bound(phone, ["id1", "id2"]) == {"id1"}
        other = (await rig.add("other", Scripted(cloud=True))).record.id
        assert await reports.doubts(other) == []
        assert await reports.bound(other, ["id1"]) == set()
        rig.database.close()

    run(main())
