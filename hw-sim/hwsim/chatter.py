"""What a modem says by itself, and which commands silence or wake it."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Protocol

from hwsim.personality import Chatter, Personality


class Talker(Protocol):
    """What chatter needs of its modem."""

    personality: Personality
    rng: random.Random

    @property
    def busy(self) -> bool:
        """Whether a command runs on any port."""

    def after(self, delay: float, callback: Callable[[], None]) -> None:
        """Run `callback` later unless the modem loses power before."""

    def announce_template(self, templates: list[str], **more: object) -> None:
        """Say lines of the personality."""


class Chatterbox:
    """Runs every chatter of a personality; positions are those of its list."""

    def __init__(self, modem: Talker) -> None:
        self._modem = modem
        self._running: set[int] = set()

    def restart(self) -> None:
        """Begin as after power on."""
        self._running = set()
        self._start_where(lambda chatter: chatter.running)

    def card_opened(self) -> None:
        """Begin what begins again with the PIN."""
        self._start_where(lambda chatter: chatter.again_after_pin)

    def heard(self, text: str) -> bool:
        """A command ran well: it may silence or wake chatter; tells whether it silenced any."""
        silenced = False
        for position, chatter in enumerate(self._modem.personality.chatter):
            if text in chatter.stops_at:
                self._running.discard(position)
                silenced = True
            elif text in chatter.starts_at:
                self._start(position, chatter)
        return silenced

    def _start_where(self, wanted: Callable[[Chatter], bool]) -> None:
        for position, chatter in enumerate(self._modem.personality.chatter):
            if wanted(chatter):
                self._start(position, chatter)

    def _start(self, position: int, chatter: Chatter) -> None:
        if position in self._running:
            return
        self._running.add(position)
        modem = self._modem

        def chat() -> None:
            if position not in self._running:
                return
            if not (chatter.idle_only and modem.busy):
                modem.announce_template([modem.rng.choice(chatter.say)])
            modem.after(modem.rng.uniform(*chatter.every), chat)

        modem.after(modem.rng.uniform(*chatter.every), chat)
