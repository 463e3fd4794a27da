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
        if not await self._select(session, memory):
            return False
        record = await attempt(session.port, commands.read_message(index))
        if record is None:
            return False
        await keep(session.sink, record.pdu, record.length)
        await self._delete(session, memory, record)
        return True

    async def sweep(self, session: Session) -> int:
        """Take in all that lies in the memories, whatever it is; returns how many were new."""
        session.selected = ""  # some modems change it when something arrives
        found = sum([await self.empty(session, memory) for memory in session.setup.memories])
        await self._select(session, session.setup.memories[0])
        return found

    async def empty(self, session: Session, memory: str) -> int:
        """Take in all that lies in a memory; returns how many records are not known to stay.

        All of it is committed before anything is deleted, and the highest index goes first, for
        some modems move what lies behind a record that goes.
        """
        if not await self._select(session, memory):
            return 0
        records = [
            record for record in await self._list(session) if not self._stays(memory, record)
        ]
        async with asyncio.TaskGroup() as group:  # at once: they share a commit
            for record in records:
                group.create_task(keep(session.sink, record.pdu, record.length))
        for record in sorted(records, key=lambda record: -record.index):
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
        """Whether the modem counts more in a memory than is known to stay: one line to ask."""
        count = await attempt(session.port, commands.count_messages())
        return count is not None and count > sum(
            tries >= STALE_DELETES for tries in self._undeletable.values()
        )

    def _stays(self, memory: str, record: Stored) -> bool:
        """Whether a record is kept here already and the modem does not let it go."""
        key = (memory, record.index, record.pdu)
        return self._undeletable.get(key, 0) >= STALE_DELETES

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
        """Delete a record that is committed, if it is still what lies there.

        Nothing may come between the look and the deletion: indices move, a message may take the
        place of another, and where something arrives, the memory that is read may change.
        """
        key = (memory, record.index, record.pdu)
        with session.port.alone() as wire:
            before = None
            while before != session.arrivals:
                before = session.arrivals
                lies_there = await attempt(wire, commands.read_message(record.index))
                if lies_there is None and session.lists:  # some list what they do not read
                    listed = await attempt(wire, commands.list_messages()) or ()
                    lies_there = next((one for one in listed if one.index == record.index), None)
                if session.over or lies_there is None or lies_there.pdu != record.pdu:
                    return  # a sweep finds what is left
            try:
                await wire.execute(commands.delete_message(record.index))
                self._undeletable.pop(key, None)
                return
            except ModemError as error:
                if numeric(error.result.text) in NOTHING_THERE:
                    return
                reason = str(error)
            except NoAnswer as error:
                reason = str(error)
        self._undeletable[key] = self._undeletable.get(key, 0) + 1
        log.warning(
            "the modem does not delete a message that is kept here",
            extra=fields(memory=memory, index=record.index, reason=reason),
        )
