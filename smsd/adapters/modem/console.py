"""A person's own command in its turn at the port, between those of smsd."""

from collections.abc import Callable

from smsd.adapters.abilities import Answered
from smsd.adapters.contract import Throttled, Unavailable
from smsd.adapters.modem.faults import RETRY_AFTER
from smsd.adapters.modem.port import Gone, ModemError, NoAnswer
from smsd.adapters.modem.session import Session
from smsd.at import console
from smsd.model.message import Fault, FaultClass


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
        raise Unavailable(Fault(FaultClass.MODEM, "the modem is not there"))
    try:
        lines = await session.port.execute(console.command(commands, timeout=timeout))
        return Answered(lines, "OK")
    except ModemError as error:
        return Answered(error.lines, error.result.text)
    except NoAnswer as error:
        fault = Fault(FaultClass.MODEM, f"no final result within {timeout:g} seconds")
        raise Throttled(fault, retry_after=RETRY_AFTER) from error
    except Gone as error:
        raise Unavailable(Fault(FaultClass.MODEM, str(error))) from error
    finally:
        if console.changes(commands):
            changed()
