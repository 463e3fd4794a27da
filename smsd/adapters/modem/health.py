"""How a modem is: registration, signal, operator, technology, temperature.

A modem at rest is asked for little: registration and signal at every look, the rest now and then.
"""

import asyncio
from typing import Final

from smsd.adapters.modem.session import Session
from smsd.adapters.modem.setup import attempt
from smsd.at import commands
from smsd.model.phone import Health

OPERATOR_EVERY: Final = 300.0  # seconds, while it stays registered
TEMPERATURE_EVERY: Final = 600.0


async def look(session: Session) -> None:
    """Ask, and tell the sink."""
    port, sink = session.port, session.sink
    stat = None
    names = commands.REGISTRATION_COMMANDS
    for name in sorted(names, key=lambda name: name != session.registered_by):
        question = commands.registration(name)
        # A code that came unasked may have been taken for the answer: then once more.
        answer = await attempt(port, question)
        if answer is None:
            answer = await attempt(port, question)
        stat = answer if stat is None else stat
        if answer is not None and answer.registered:
            stat, session.registered_by = answer, name
            break
    was_registered = session.registered
    session.registered = stat is None or stat.registered  # a modem that cannot tell may send
    signal = await attempt(port, commands.signal_quality())
    sink.facts(registration=None if stat is None else stat.name.lower(), signal_dbm=signal)
    if session.registered:
        if not was_registered:
            session.asked_operator = float("-inf")
        await _operator(session)
        sink.health(Health.AVAILABLE)
    else:
        assert stat is not None
        words = stat.name.lower().replace("_", " ")
        sink.health(
            Health.UNAVAILABLE,
            f"not registered with a network ({words})",
            hint="check antenna, SIM and whether the operator knows this modem",
        )
    await _temperature(session)


async def _operator(session: Session) -> None:
    now = asyncio.get_running_loop().time()
    # While strings are written in UCS2 for a USSD dialogue, so would be its name.
    if now - session.asked_operator < OPERATOR_EVERY or session.characters != "GSM":
        return
    session.asked_operator = now
    operator = await attempt(session.port, commands.operator())
    if operator is not None:
        session.sink.facts(operator=operator.name or None, technology=operator.technology or None)


async def _temperature(session: Session) -> None:
    now, line = asyncio.get_running_loop().time(), session.profile.temperature
    if line is None or now - session.asked_temperature < TEMPERATURE_EVERY:
        return
    session.asked_temperature = now
    temperature = await attempt(session.port, commands.temperature(line))
    session.sink.facts(temperature=temperature)
