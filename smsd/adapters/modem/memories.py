"""A modem's memories, emptied: every record is committed by the sink, and deleted after."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Final

from smsd.adapters.contract import Sink
from smsd.adapters.modem.faults import numeric
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
MOST_RECORDS: Final = 255  # that are looked for one by one
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
        # Look once more before deleting: indices move, and so does the memory that is read.
        again = await attempt(session.port, commands.read_message(index))
        if again is not None and again.pdu == record.pdu:
            await self._delete(session, memory, record)
        return True

    async def sweep(self, session: Session) -> int:
        """Take in all that lies in the memories, whatever it is; returns how many records."""
        session.selected = ""  # some modems change it when something arrives
        found = sum([await self.empty(session, memory) for memory in session.setup.memories])
        await self._select(session, session.setup.memories[0])
        return found

    async def empty(self, session: Session, memory: str) -> int:
        """Take in all that lies in a memory; returns how many records that is.

        It is listed once more before anything is deleted, and the highest index goes first, for
        some modems move what lies behind a record that goes.
        """
        if not await self._select(session, memory):
            return 0
        records = await self._list(session)
        async with asyncio.TaskGroup() as group:  # at once: they share a commit
            for record in records:
                group.create_task(keep(session.sink, record.pdu, record.length))
        if records:
            still = {(record.index, record.pdu) for record in await self._list(session)}
            for record in sorted(records, key=lambda record: -record.index):
                if (record.index, record.pdu) in still:
                    await self._delete(session, memory, record)
        return len(records)

    async def _list(self, session: Session) -> Sequence[Stored]:
        """What lies in the selected memory; one by one where a listing fails (27.005 4.1)."""
        if session.lists:
            records = await attempt(session.port, commands.list_messages())
            if records is not None:
                return records
            session.lists = False
        found: list[Stored] = []
        fill = await attempt(session.port, commands.select_memories(session.selected))
        if fill is not None:
            for index in range(min(fill.total, MOST_RECORDS) + 1):  # some count from 0
                if len(found) == fill.used:
                    break
                record = await attempt(session.port, commands.read_message(index))
                if record is not None:
                    found.append(record)
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

    async def _delete(self, session: Session, memory: str, record: Stored) -> None:
        key = (memory, record.index, record.pdu)
        if self._undeletable.get(key, 0) >= STALE_DELETES:
            return  # it is kept here and known again: it only takes room there
        try:
            await session.port.execute(commands.delete_message(record.index))
            self._undeletable.pop(key, None)
        except (ModemError, NoAnswer) as error:
            if isinstance(error, ModemError) and numeric(error.result.text) in NOTHING_THERE:
                return
            self._undeletable[key] = self._undeletable.get(key, 0) + 1
            log.warning(
                "the modem does not delete a message that is kept here",
                extra=fields(memory=memory, index=record.index, reason=str(error)),
            )
