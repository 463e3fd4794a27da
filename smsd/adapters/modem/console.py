"""A person's own command in its turn at the port, between those of smsd."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from smsd.adapters.abilities import Answered
from smsd.adapters.contract import Throttled, Unavailable
from smsd.adapters.modem.faults import RETRY_AFTER
from smsd.adapters.modem.port import Gone, ModemError, NoAnswer, Port
from smsd.adapters.modem.session import Session
from smsd.at import commands as at
from smsd.at import console
from smsd.at.dialogue import Command
from smsd.model.message import Fault, FaultClass

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ChangedByHand:
    """A person changed how the modem is set up: it is to be set up anew."""


async def command(
    session: Session | None,
    line: str,
    *,
    force: bool,
    timeout: float,
    changed: Callable[[], None],
) -> Answered:
    """Give it and return what came; ``changed`` is called where the modem is to be set up anew.

    Raises `smsd.at.console.Refused` before anything is written.
    """
    commands = console.parse(line)
    console.check(commands, force=force)
    if session is None:
        raise Unavailable(Fault(FaultClass.MODEM, "the modem is not ready"))
    given, changing = console.command(commands, timeout=timeout), console.changes(commands)
    try:
        execute = _and_pdu_mode if changing else Port.execute
        return Answered(await execute(session.port, given), "OK")
    except ModemError as error:
        return Answered(error.lines, error.result.text)
    except NoAnswer as error:
        fault = Fault(FaultClass.MODEM, f"no final result within {timeout:g} seconds")
        raise Throttled(fault, retry_after=RETRY_AFTER) from error
    except Gone as error:
        raise Unavailable(Fault(FaultClass.MODEM, str(error))) from error
    finally:
        if changing:
            changed()


async def _and_pdu_mode(port: Port, given: Command[tuple[str, ...]]) -> tuple[str, ...]:
    """Give it, and PDU mode right after it, before anything else that waits for the port.

    The next part of a message may wait there: in text mode it would go to whom its length names.
    """
    asked: Awaitable[tuple[str, ...]] = port.execute(given)
    async with asyncio.TaskGroup() as group:
        answer = group.create_task(_outcome(asked))
        group.create_task(_outcome(port.execute(at.setting("AT+CMGF=0"))))
    lines, error = answer.result()
    if error is not None:
        raise error
    return lines or ()


async def _outcome(answer: Awaitable[T]) -> tuple[T | None, Exception | None]:
    """The answer, or the error instead of it: neither of two cancels the other."""
    try:
        return await answer, None
    except (ModemError, NoAnswer, Gone) as error:
        return None, error
