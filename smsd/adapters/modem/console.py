"""A person's own command in its turn at the port, between those of smsd."""

from collections.abc import Callable
from dataclasses import dataclass

from smsd.adapters.abilities import Answered
from smsd.adapters.contract import Throttled, Unavailable
from smsd.adapters.modem.faults import RETRY_AFTER
from smsd.adapters.modem.port import Gone, ModemError, NoAnswer
from smsd.adapters.modem.session import Session
from smsd.at import commands as at
from smsd.at import console
from smsd.model.message import Fault, FaultClass


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
        # The next part of a message may wait for the port: in text mode it would go to whom its
        # length names.
        then = at.setting("AT+CMGF=0") if changing else None
        return Answered(await session.port.execute(given, then=then), "OK")
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
