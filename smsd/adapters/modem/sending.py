"""Out by a modem: a submission as parts, and what an answer, an error or silence says of each."""

import asyncio
import re
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from smsd.adapters.contract import (
    Declined,
    Progress,
    Rejected,
    Submission,
    Throttled,
    Unavailable,
    Uncertain,
)
from smsd.adapters.modem.console import ChangedByHand
from smsd.adapters.modem.faults import BOOTING, RETRY_AFTER, TRIES, error_of, fault_of, numeric
from smsd.adapters.modem.port import Gone, ModemError, NoAnswer
from smsd.adapters.modem.recovery import Evidence
from smsd.adapters.modem.session import Session
from smsd.adapters.modem.setup import accepted
from smsd.at import commands, urcs
from smsd.at.dialogue import Command
from smsd.gsm import Address, EncodeError, Relative, compose
from smsd.logs import short
from smsd.model.events import LateAnswer
from smsd.model.message import AttemptId, Fault, FaultClass

OVER: Final = "the modem has started anew"
STRAY_WITHIN: Final = 600.0  # seconds after a part went to the modem that its answer may still come
REFERENCE_FOLLOWS: Final = 1.0  # seconds after an OK that came without a reference
FIRST_BACK_OFF: Final = 5.0  # seconds that a modem rests when the network takes nothing, doubling
YOUNG: Final = 60.0  # seconds; SIM800 and SIM7x00 take messages 10 to 25 s after their start
LONGEST_BACK_OFF: Final = 60.0
FAILURES: Final = 3  # in a row, of more than one recipient, after which something must be done
REFUSED_FOR_ITS_RECIPIENT: Final = ("+CMS ERROR: 21",)  # or for the SIM: nobody tells which

Hint = urcs.Unsolicited | LateAnswer | Evidence | ChangedByHand


@dataclass(frozen=True, slots=True)
class _InFlight:
    attempt: AttemptId
    part: int
    recipient: str
    at: float


class Sending:
    """Sends by one modem, whichever opening of it is at hand.

    ``hint`` takes what an answer says about the rest of the modem, and late answers. ``smsc`` goes
    into every PDU; ``send_timeout`` is in seconds, ``None``: the profile's.
    """

    def __init__(
        self, smsc: str | None, send_timeout: float | None, hint: Callable[[Hint], None]
    ) -> None:
        self._smsc = smsc
        self._send_timeout = send_timeout
        self._hint = hint
        self._given_up: deque[_InFlight] = deque(maxlen=8)
        self._last: urcs.Reference | None = None
        self._following: asyncio.Queue[urcs.Reference | None] | None = None
        self._refused_to: str | None = None
        self._failed_to: set[str] = set()
        self._failures = 0
        self._back_off = 0.0
        self.begun_at: float | None = None
        """When something was last given to the modem to send (loop's time)."""

    async def send(
        self, session: Session | None, submission: Submission, progress: Progress
    ) -> None:
        """Send the parts that the network has not taken yet, one after the other.

        What is refused before the PDU was handed over is proven not sent. After it, only an error
        that names its cause is; a bare ``ERROR``, silence and a lost port leave the part in doubt.
        """
        if session is None:
            raise Unavailable(Fault(FaultClass.MODEM, "the modem is not ready"))
        if not session.registered:
            raise Unavailable(Fault(FaultClass.NETWORK, "not registered with a network"))
        parts = self._commands(session, submission)
        if len(parts) - len(submission.taken) > 1:
            try:
                await hold_link(session)
            except Gone as error:
                raise Unavailable(Fault(FaultClass.MODEM, str(error))) from error
        for number, command in enumerate(parts, start=1):
            if number in submission.taken:
                continue
            begin = partial(_begin, session, progress, number, len(parts))
            now = asyncio.get_running_loop().time()
            in_flight = _InFlight(submission.attempt, number, submission.destination, now)
            reference = await self._submit(session, command, in_flight, begin)
            await progress.complete(number, None if reference is None else str(reference))
            self._refused_to = None
            self._failed_to.clear()
            self._failures, self._back_off = 0, 0.0

    def _commands(
        self, session: Session, submission: Submission
    ) -> list[Command[urcs.Reference | None]]:
        """Every part, encoded whole before the first one leaves."""
        limit = self._send_timeout or session.profile.send_timeout
        if not re.fullmatch(r"\+?[0-9]+", submission.destination):
            raise Rejected(Fault(FaultClass.PERMANENT, "the recipient is no telephone number"))
        try:
            pdus = compose(
                Address.parse(submission.destination),
                submission.text,
                reference=int(submission.message) % 256,
                message_class=0 if submission.flash else None,
                validity=Relative.covering(submission.validity),
                report_requested=submission.report and session.setup.reports,
                sc=Address.parse(self._smsc) if self._smsc else None,
            )
        except EncodeError as error:
            words = str(error).replace(submission.destination, short(submission.destination))
            raise Rejected(Fault(FaultClass.PERMANENT, f"it cannot be encoded: {words}")) from error
        return [commands.send_pdu(pdu, length, timeout=limit) for length, pdu in pdus]

    async def _submit(
        self,
        session: Session,
        command: Command[urcs.Reference | None],
        in_flight: _InFlight,
        begin: Callable[[], Awaitable[None]],
    ) -> urcs.Reference | None:
        if session.over:
            raise Unavailable(Fault(FaultClass.MODEM, OVER))
        self.begun_at = asyncio.get_running_loop().time()
        self._following = asyncio.Queue()
        try:
            self._last = reference = await self._exchange(session, command, in_flight, begin)
            if reference is not None:
                return reference
            try:  # some modems say OK first, and the reference after it
                async with asyncio.timeout(REFERENCE_FOLLOWS):
                    self._last = reference = await self._following.get()
                    return reference
            except TimeoutError:
                self._given_up.clear()  # a reference that comes now may be this part's
                return None  # and some tell none: it is sent all the same
        finally:
            self._following = None

    async def _exchange(
        self,
        session: Session,
        command: Command[urcs.Reference | None],
        in_flight: _InFlight,
        begin: Callable[[], Awaitable[None]],
    ) -> urcs.Reference | None:
        try:
            return await session.port.execute(command, before_payload=begin)
        except asyncio.CancelledError:
            self._given_up.append(in_flight)  # the exchange goes on without its caller
            raise
        except ModemError as error:
            if error.submitted and any(line.startswith("+CMGS:") for line in error.lines):
                return command.parse(error.lines)  # the network took it, whatever follows
            try:
                self._refused(error, session, in_flight.recipient)
            except Uncertain:
                self._given_up.append(in_flight)  # a reference may follow even an error
                raise
            return None
        except NoAnswer as error:
            if error.submitted:
                self._given_up.append(in_flight)
                raise Uncertain(_doubt("the modem did not answer after it had the PDU")) from error
            fault = Fault(FaultClass.MODEM, "the modem did not ask for the PDU")
            raise Throttled(fault, retry_after=RETRY_AFTER) from error
        except Gone as error:
            if error.submitted:
                self._given_up.append(in_flight)  # if only the modem was slow, it still answers
                raise Uncertain(_doubt(f"{error} after the modem had the PDU")) from error
            raise Unavailable(Fault(FaultClass.MODEM, str(error))) from error

    def _refused(self, error: ModemError, session: Session, recipient: str) -> None:
        """Raise what a refusal asks for; returns if it says that an earlier copy was accepted."""
        fault = fault_of(error.result, session.profile)
        if fault.kind is FaultClass.DUPLICATE:
            return
        if error.submitted and not error.result.text.startswith(("+CMS ERROR", "+CME ERROR")):
            # Some modems say a bare ERROR although the message was queued.
            raise Uncertain(_doubt("the modem gave no cause for its error", fault.code)) from error
        if fault.kind is FaultClass.AMBIGUOUS and not error.submitted:
            raise Throttled(fault, retry_after=RETRY_AFTER, tries=TRIES) from error
        if fault.code in REFUSED_FOR_ITS_RECIPIENT and self._refused_to in (None, recipient):
            # One recipient may be barred; that it is the SIM shows when a second one is refused.
            if self._refused_to == recipient:
                raise Declined(fault) from error  # nobody knows why: another phone may know better
            self._refused_to = recipient
            raise Throttled(fault, retry_after=RETRY_AFTER) from error
        if fault.kind is FaultClass.MEMORY:
            self._hint(urcs.MemoryFull())
        if (
            fault.kind is FaultClass.NETWORK
            or (numeric(fault.code or "") in BOOTING and self._is_young(session))
            or self._is_general(fault, recipient)
        ):
            # It is the modem or its network, so no message pays for it: the modem rests.
            self._hint(urcs.RegistrationChanged())
            self._back_off = min(max(2 * self._back_off, FIRST_BACK_OFF), LONGEST_BACK_OFF)
            raise Unavailable(fault, seconds=self._back_off) from error
        raise error_of(fault) from error

    def _is_young(self, session: Session) -> bool:
        """Whether the modem has been set up only now: many refuse messages until all is loaded."""
        return asyncio.get_running_loop().time() - session.began < YOUNG

    def _is_general(self, fault: Fault, recipient: str) -> bool:
        """Whether a passing error meets one recipient after the other: then it is nobody's own."""
        if fault.kind not in (FaultClass.RETRY, FaultClass.LATER, FaultClass.MODEM):
            return False
        self._failed_to.add(recipient)
        self._failures += 1
        general = len(self._failed_to) > 1
        if self._failures >= FAILURES and (general or fault.kind is FaultClass.MODEM):
            self._failures = 0
            self._hint(Evidence.FAULTY)
        return general

    def answered(self, reference: int | None) -> None:
        """A reference came unasked: the part that waits for it has it, else one given up."""
        if self._following is not None:
            self._following.put_nowait(None if reference is None else urcs.Reference(reference))
        else:
            self.answered_late(reference)

    def answered_late(self, reference: int | None) -> None:
        """The network took a part that had been given up; of several nobody knows which."""
        if reference is not None and reference == self._last:
            return  # some say it twice
        now = asyncio.get_running_loop().time()
        while self._given_up and self._given_up[0].at < now - STRAY_WITHIN:
            self._given_up.popleft()
        if len(self._given_up) == 1:
            part = self._given_up.pop()
            told = None if reference is None else str(reference)
            self._hint(LateAnswer(part.attempt, part.part, told))


async def _begin(session: Session, progress: Progress, part: int, total: int) -> None:
    """The part is about to leave: not by a modem that has forgotten how it was set up."""
    if session.over:
        raise Unavailable(Fault(FaultClass.MODEM, OVER))
    await progress.begin(part, total)


async def hold_link(session: Session) -> None:
    """Ask the modem to keep the radio link between parts (+CMMS, 27.005 3.5.6).

    With 1 it lets go by itself soon after the last one. A modem that refuses is not asked again.
    """
    if session.holds_link:
        session.holds_link = await accepted(session.port, commands.setting("AT+CMMS=1"))


def _doubt(words: str, code: str | None = None) -> Fault:
    return Fault(
        FaultClass.AMBIGUOUS,
        f"{words}: it may have gone",
        code,
        "a delivery report may still settle it; else decide whether to send it again",
    )
