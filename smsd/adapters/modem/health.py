"""How a modem is: registration, signal, operator."""

from smsd.adapters.modem.session import Session
from smsd.adapters.modem.setup import attempt
from smsd.at import commands
from smsd.model.phone import Health


async def look(session: Session) -> None:
    """Ask, and tell the sink."""
    port, sink = session.port, session.sink
    stat = None
    for name in commands.REGISTRATION_COMMANDS:
        question = commands.registration(name)
        # A code that came unasked may have been taken for the answer: then once more.
        answer = await attempt(port, question)
        if answer is None:
            answer = await attempt(port, question)
        stat = answer if stat is None else stat
        if answer is not None and answer.registered:
            stat = answer
            break
    session.registered = stat is None or stat.registered  # a modem that cannot tell may send
    signal = await attempt(port, commands.signal_quality())
    sink.facts(registration=None if stat is None else stat.name.lower(), signal_dbm=signal)
    if session.registered:
        operator = await attempt(port, commands.operator())
        sink.facts(operator=operator)
        sink.health(Health.AVAILABLE)
    else:
        assert stat is not None
        words = stat.name.lower().replace("_", " ")
        sink.health(
            Health.UNAVAILABLE,
            f"not registered with a network ({words})",
            hint="check antenna, SIM and whether the operator knows this modem",
        )
