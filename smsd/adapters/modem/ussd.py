"""USSD by one modem: ask, answer, cancel; what the modem understands is tried out once.

Only the request takes the port; the network's reply comes unasked, up to a minute later, and
messages go on meanwhile.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from smsd.adapters.contract import Declined, PhoneError, Throttled, Unavailable
from smsd.adapters.modem.faults import RETRY_AFTER, error_of, fault_of
from smsd.adapters.modem.port import Gone, ModemError, NoAnswer, Port
from smsd.adapters.modem.session import Session
from smsd.adapters.modem.setup import accepted
from smsd.at import commands, ussd
from smsd.at.dialogue import Command, FinalResult
from smsd.at.urcs import UssdArrived
from smsd.at.ussd import Form
from smsd.gsm import EncodeError
from smsd.model.message import Fault, FaultClass
from smsd.model.ussd import UssdReply, UssdStatus

REPLY_WITHIN: Final = 60.0  # seconds after the modem's OK; networks take ten and more
EMPTY_FOLLOWED: Final = 10.0  # seconds in which a reply without text may be followed by one with it
IDLE_FOR: Final = 120.0  # seconds that a question of the network's may stay unanswered
_STATUSES: Final = tuple(UssdStatus)
_REFUSED_BY_NETWORK: Final = (UssdStatus.TERMINATED, UssdStatus.NOT_SUPPORTED)
# Errors that the form of the string may be the cause of; all others would meet every form.
_OF_THE_FORM: Final = frozenset({0, 3, 4, *range(24, 28), *range(50, 61), 100})


class Ussd:
    """The dialogue of one modem with its network, whichever opening of it is at hand.

    The profile says which forms to try; the one that works is remembered per model and firmware.
    """

    def __init__(self) -> None:
        self._known: dict[str, Form] = {}
        self._replies: asyncio.Queue[UssdArrived] | None = None
        self._open_until: float | None = None
        self._left_open = False

    def arrived(self, reply: UssdArrived) -> None:
        """The network spoke; without anybody who asked it is nobody's business."""
        if self._replies is not None:
            self._replies.put_nowait(reply)
        elif reply.status != _STATUSES.index(UssdStatus.ANSWER_WANTED):
            self._open_until = None  # the release that follows a reply

    async def ask(self, session: Session | None, code: str) -> UssdReply:
        """Begin a dialogue: what is left of an earlier one is ended first."""
        session = _present(session)
        with self._one_at_a_time() as replies:
            if self._open_until is not None or self._left_open:
                await self._end(session)
                while not replies.empty():
                    replies.get_nowait()  # the release of the earlier one
            return await self._exchange(session, replies, code)

    async def answer(self, session: Session | None, text: str) -> UssdReply:
        """Answer the question that is open."""
        session = _present(session)
        with self._one_at_a_time() as replies:
            if not self._is_open():
                raise Declined(Fault(FaultClass.DECLINED, "the network has asked nothing"))
            return await self._exchange(session, replies, text)

    async def cancel(self, session: Session | None) -> None:
        """End the dialogue; what the modem says to it does not matter."""
        await self._end(_present(session))

    async def tidy(self, session: Session) -> None:
        """End a dialogue that nobody goes on with: the network holds a channel for it."""
        if self._replies is None and not self._is_open():
            if self._open_until is not None or self._left_open:
                await self._end(session)
            await _characters(session, "GSM")

    def _is_open(self) -> bool:
        now = asyncio.get_running_loop().time()
        return self._open_until is not None and now < self._open_until

    @contextmanager
    def _one_at_a_time(self) -> Iterator["asyncio.Queue[UssdArrived]"]:
        if self._replies is not None:
            fault = Fault(FaultClass.RETRY, "another USSD dialogue is under way on this phone")
            raise Throttled(fault, retry_after=RETRY_AFTER)
        self._replies = asyncio.Queue()
        try:
            yield self._replies
        finally:
            self._replies = None

    async def _end(self, session: Session) -> None:
        self._open_until, self._left_open = None, False
        await _whatever(session.port, ussd.cancel())

    async def _exchange(
        self, session: Session, replies: "asyncio.Queue[UssdArrived]", text: str
    ) -> UssdReply:
        try:
            reply = await self._in_some_form(session, replies, text)
        except PhoneError:
            await _characters(session, "GSM")
            raise
        if reply.status is not UssdStatus.ANSWER_WANTED:
            await _characters(session, "GSM")
        return reply

    async def _in_some_form(
        self, session: Session, replies: "asyncio.Queue[UssdArrived]", text: str
    ) -> UssdReply:
        """Ask in the form that this modem takes; what it or the network refuses goes in the next.

        A modem may hand on any string, so that the network refuses what it was not meant to see.
        """
        known = self._known.get(session.setup.model)
        forms = (known,) if known else session.profile.ussd
        reply: UssdReply | None = None
        refusal: Declined | None = None
        for form in forms:
            try:
                await self._hand_over(session, text, form)
            except Declined as error:
                refusal = refusal or error
                continue
            reply = await self._reply(session, replies, form)
            if reply.text or reply.status not in _REFUSED_BY_NETWORK:
                self._known[session.setup.model] = form
                return reply
        if reply is not None:
            return reply
        assert refusal is not None
        raise refusal

    async def _hand_over(self, session: Session, text: str, form: Form) -> None:
        """Give the request; raises `Declined` where another form of it may fare better."""
        try:
            command = ussd.request(text, form)
        except EncodeError as error:
            fault = Fault(FaultClass.DECLINED, f"no request: {error.reason}")
            raise Declined(fault) from error
        await _characters(session, "UCS2" if form is Form.UCS2 else "GSM")
        self._left_open = True  # until we know better: also where our caller goes away
        try:
            await session.port.execute(command)
        except ModemError as error:
            self._left_open = False
            fault = fault_of(error.result)
            if not _may_be_the_form(error.result):
                raise error_of(fault) from error
            words = f"the modem takes no such USSD request: {fault.words}"
            raise Declined(Fault(FaultClass.DECLINED, words, fault.code)) from error
        except NoAnswer as error:
            fault = Fault(FaultClass.MODEM, "the modem did not answer the request")
            raise Throttled(fault, retry_after=RETRY_AFTER) from error
        except Gone as error:
            raise Unavailable(Fault(FaultClass.MODEM, str(error))) from error

    async def _reply(
        self, session: Session, replies: "asyncio.Queue[UssdArrived]", form: Form
    ) -> UssdReply:
        try:
            arrived = await self._wait(replies)
        except TimeoutError as error:
            await self._end(session)
            fault = Fault(FaultClass.NETWORK, "the network sent no reply within a minute")
            raise Throttled(fault, retry_after=RETRY_AFTER) from error
        self._left_open = False
        status = _STATUSES[arrived.status] if arrived.status < len(_STATUSES) else UssdStatus.DONE
        asked = status is UssdStatus.ANSWER_WANTED
        now = asyncio.get_running_loop().time()
        self._open_until = now + IDLE_FOR if asked else None
        text = "" if arrived.string is None else ussd.decode(arrived.string, arrived.coding, form)
        return UssdReply(status, text)

    async def _wait(self, replies: "asyncio.Queue[UssdArrived]") -> UssdArrived:
        """The first reply with a text; one without may go before it, or be all there is."""
        empty: UssdArrived | None = None
        try:
            async with asyncio.timeout(REPLY_WITHIN) as limit:
                while True:
                    arrived = await replies.get()
                    if arrived.string or arrived.status > _LAST_THAT_MAY_BE_FOLLOWED:
                        return arrived
                    empty = empty or arrived
                    soon = asyncio.get_running_loop().time() + EMPTY_FOLLOWED
                    limit.reschedule(min(soon, limit.when() or soon))
        except TimeoutError:
            if empty is None:
                raise
            return empty


_LAST_THAT_MAY_BE_FOLLOWED: Final = _STATUSES.index(UssdStatus.TERMINATED)


async def _characters(session: Session, wanted: str) -> None:
    """Have strings written in a character set; the operator's name is not asked for meanwhile."""
    if session.characters != wanted:
        await _whatever(session.port, commands.setting(f'AT+CSCS="{wanted}"'))
        session.characters = wanted


async def _whatever(port: Port, command: Command[None]) -> None:
    """Give a command whose answer changes nothing."""
    try:
        await accepted(port, command)
    except Gone:
        return  # and the dialogue with it


def _present(session: Session | None) -> Session:
    if session is None:
        raise Unavailable(Fault(FaultClass.MODEM, "the modem is not ready"))
    if not session.registered:
        raise Unavailable(Fault(FaultClass.NETWORK, "not registered with a network"))
    return session


def _may_be_the_form(result: FinalResult) -> bool:
    """Whether another form of the string may fare better."""
    if result.cme is not None:
        return result.cme in _OF_THE_FORM
    return result.cms is None
