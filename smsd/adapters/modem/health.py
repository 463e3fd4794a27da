"""How a modem is: registration, signal, operator, temperature, and whether its SIM is the same.

A modem at rest is asked for little: registration at every look, the rest now and then.
"""

from dataclasses import replace
from enum import Enum, auto
from typing import Final

from smsd.adapters.modem.faults import numeric
from smsd.adapters.modem.port import ModemError, NoAnswer
from smsd.adapters.modem.session import Session
from smsd.adapters.modem.setup import attempt
from smsd.at import commands
from smsd.at.syntax import AnswerError
from smsd.model.phone import Health

WEAK: Final = -103  # dBm; above it a modem that finds no network has itself to blame (+CSQ: 5)
CARD_TIMEOUT: Final = 10.0  # seconds: it is a sign of life as well
OPERATOR_EVERY: Final = 300.0  # seconds, while it stays registered
TEMPERATURE_EVERY: Final = 600.0


class Card(Enum):
    """What became of the SIM that the modem was set up with."""

    SAME = auto()
    OTHER = auto()
    GONE = auto()


_GONE: Final = ("+CME ERROR: 10", "+CME ERROR: 13", "+CME ERROR: 15")  # no SIM, failure, wrong


async def look(session: Session, now: float) -> None:
    """Ask for registration and signal, and tell the sink; ``now`` is any steady clock's.

    The operator is asked for when the registration changed.
    """
    port, sink = session.port, session.sink
    stat = None
    names = commands.REGISTRATION_COMMANDS
    for name in sorted(names, key=lambda name: name != session.registered_by):
        question = commands.registration(name)
        # A code that came unasked may have been taken for the answer: then once more.
        answer = await attempt(port, question)
        if answer is None:
            answer = await attempt(port, question)
        if port.silent:
            return  # its silence says more than this look could
        stat = answer if stat is None else stat
        if answer is not None and answer.registered:
            stat, session.registered_by = answer, name
            break
    was_registered = session.registered
    session.registered = stat is None or stat.registered  # a modem that cannot tell may send
    signal = await attempt(port, commands.signal_quality())
    told = stat is not None or signal is not None
    session.tells = session.tells or told
    session.refusals = 0 if told else session.refusals + 1
    sink.facts(registration=None if stat is None else stat.name.lower(), signal_dbm=signal)
    if session.registered:
        session.lost_since = None
        if not was_registered:
            session.asked_operator = float("-inf")
        await _operator(session, now)
        sink.health(Health.AVAILABLE)
    else:
        assert stat is not None
        if signal is None or signal < WEAK:
            session.lost_since = None  # no wonder: nothing is to be heard
        elif session.lost_since is None:
            session.lost_since = now
        words = stat.name.lower().replace("_", " ")
        sink.health(
            Health.UNAVAILABLE,
            f"not registered with a network ({words})",
            hint="check antenna, SIM and whether the operator knows this modem",
        )
    await _temperature(session, now)


async def _operator(session: Session, now: float) -> None:
    # While strings are written in UCS2 for a USSD dialogue, so would be its name.
    if now - session.asked_operator < OPERATOR_EVERY or session.characters != "GSM":
        return
    session.asked_operator = now
    operator = await attempt(session.port, commands.operator())
    if operator is not None:
        session.sink.facts(operator=operator.name or None, technology=operator.technology or None)


async def _temperature(session: Session, now: float) -> None:
    line = session.profile.temperature
    if line is None or now - session.asked_temperature < TEMPERATURE_EVERY:
        return
    session.asked_temperature = now
    temperature = await attempt(session.port, commands.temperature(line))
    session.sink.facts(temperature=temperature)


async def card(session: Session) -> Card:
    """Look whether the SIM is still the one; a modem that does not tell is believed."""
    setup = session.setup
    if setup.iccid_command is None:
        return Card.SAME
    try:
        question = replace(commands.iccid(setup.iccid_command), timeout=CARD_TIMEOUT)
        iccid = await session.port.execute(question)
    except ModemError as error:
        return Card.GONE if numeric(error.result.text) in _GONE else Card.SAME
    except (NoAnswer, AnswerError):
        return Card.SAME
    return Card.SAME if iccid == setup.iccid else Card.OTHER


async def has_forgotten(session: Session) -> bool | None:
    """Whether the modem is not set any more as it was, for it has started anew.

    ``None``: it does not tell.
    """
    wanted = session.setup.reported
    current = await attempt(session.port, commands.current_indications())
    return None if wanted is None or current is None else current != wanted
