"""Calls that came in."""

from smsd.model.events import CallBegan, CallEnded
from smsd.model.phone import PhoneId
from smsd.store.database import Database, Transaction


class CallLog:
    """Who rang, and until when. Each method is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(self, phone: PhoneId, call: CallBegan) -> None:
        """A call came in; told again, only its number is new."""

        def work(tx: Transaction) -> None:
            row = tx.value("begin call", phone=phone, uid=call.key, origin=call.number, now=tx.now)
            tx.run("tell call", id=row, kind="call", now=tx.now)

        await self._database.transaction(work)

    async def end(self, call: CallEnded) -> None:
        """It is over; what has ended already stays as it is."""

        def work(tx: Transaction) -> None:
            row = tx.value("end call", uid=call.key, now=tx.now)
            if row is not None:
                tx.run("tell call", id=row, kind="call ended", now=tx.now)

        await self._database.transaction(work)
