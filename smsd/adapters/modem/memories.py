"""A modem's memories, emptied: every record is committed by the sink, and deleted after."""

import logging
from typing import Final

from smsd.adapters.contract import Sink
from smsd.adapters.modem.incoming import read_pdu
from smsd.adapters.modem.port import ModemError, NoAnswer
from smsd.adapters.modem.session import Session
from smsd.adapters.modem.setup import attempt
from smsd.at import commands
from smsd.at.commands import Stored
from smsd.at.syntax import AnswerError
from smsd.logs import fields
from smsd.model.events import Incoming

log: Final = logging.getLogger(__name__)

NOTHING_THERE: Final = ("+CMS ERROR: 321", "+CME ERROR: 21", "+CME ERROR: 22")
STALE_DELETES: Final = 3  # refusals to delete a record before it is left where it lies


async def keep(sink: Sink, pdu: str, length: int | None) -> None:
    """Have what a PDU says committed."""
    found = read_pdu(pdu, length)
    if isinstance(found, Incoming):
        await sink.received(found)
        for waiting in found.waiting:
            told = "some" if waiting.count is None else waiting.count
            sink.facts(**{f"waiting_{waiting.kind}": told})
    else:
        await sink.reported(found)


class Memories:
    """The memories of one modem; it remembers over all openings what cannot be deleted."""

    def __init__(self) -> None:
        self._undeletable: dict[tuple[str, int, str], int] = {}

    async def fetch(self, session: Session, memory: str, index: int) -> bool:
        """Take in the record that a hint named; False if it is not where it should be."""
        if index < 0 or memory not in session.setup.memories:
            return False
        if not await self._select(session, memory):
            return False
        record = await attempt(session.port, commands.read_message(index))
        if record is None:
            return False
        await keep(session.sink, record.pdu, record.length)
        await self._delete_if_same(session, memory, record)
        return True

    async def sweep(self, session: Session) -> int:
        """Take in all that lies in the memories, whatever it is; the highest index goes first.

        Returns how many records there were.
        """
        port, found = session.port, 0
        session.selected = ""  # some modems change it when something arrives
        for memory in session.setup.memories:
            if not await self._select(session, memory):
                continue
            records = await attempt(port, commands.list_messages())
            found += len(records or ())
            for record in reversed(records or ()):
                await keep(session.sink, record.pdu, record.length)
                await self._delete_if_same(session, memory, record)
        await self._select(session, session.setup.memories[0])
        return found

    async def filled(self, session: Session) -> bool:
        """Whether the modem counts anything in the memories that are selected: one line to ask."""
        count = await attempt(session.port, commands.count_messages())
        return count is not None and count > 0

    async def _select(self, session: Session, memory: str) -> bool:
        """Make a memory the one that is read from; modal, so it is remembered."""
        if session.selected == memory:
            return True
        try:
            fill = await session.port.execute(commands.select_memories(memory))
        except (ModemError, NoAnswer):
            session.selected = ""
            return False
        except AnswerError:
            fill = None
        session.selected = memory
        if fill is not None:
            session.sink.facts(**{f"used_{memory}": fill.used, f"total_{memory}": fill.total})
        return True

    async def _delete_if_same(self, session: Session, memory: str, record: Stored) -> None:
        """Look once more before deleting: indices move, and so does the memory that is read."""
        again = await attempt(session.port, commands.read_message(record.index))
        if again is not None and again.pdu == record.pdu:
            await self._delete(session, memory, record)

    async def _delete(self, session: Session, memory: str, record: Stored) -> None:
        key = (memory, record.index, record.pdu)
        if self._undeletable.get(key, 0) >= STALE_DELETES:
            return  # it is kept here and known again: it only takes room there
        try:
            await session.port.execute(commands.delete_message(record.index))
            self._undeletable.pop(key, None)
        except (ModemError, NoAnswer) as error:
            if isinstance(error, ModemError) and error.result.text in NOTHING_THERE:
                return
            self._undeletable[key] = self._undeletable.get(key, 0) + 1
            log.warning(
                "the modem does not delete a message that is kept here",
                extra=fields(memory=memory, index=record.index, reason=str(error)),
            )
