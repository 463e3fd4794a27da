"""The gateway as its API sees it: accept, look, explain."""

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any, Final

from smsd.adapters.hotplug import Hotplug
from smsd.adapters.modem.apart import Stuck, apart
from smsd.adapters.modem.held import holders
from smsd.dispatch.hours import choose
from smsd.dispatch.outbox import Outbox
from smsd.dispatch.phones import Phone, Phones
from smsd.dispatch.route import health
from smsd.dispatch.webhooks import Webhooks
from smsd.gsm import count_parts
from smsd.logs import fields
from smsd.model.message import Draft, Later, Resolution, Route, State, Wait
from smsd.model.phone import Candidate, Health, Window
from smsd.store.database import StoreUnavailable
from smsd.store.once import Once
from smsd.store.outgoing import Accepted, queued_of
from smsd.store.pauses import EVERYTHING
from smsd.store.store import Store

log: Final = logging.getLogger(__name__)

HOLDERS_TIMEOUT: Final = 5.0  # seconds for a look through /proc
LONG_WAIT: Final = 600  # seconds after which a message that waits is worth a word


class Gateway:
    """Store, phones and outbox together; ``validity`` is the usual one in seconds.

    ``sticky``: messages go by the phone that their recipient knows, unless a request says no.
    """

    def __init__(
        self,
        store: Store,
        phones: Phones,
        outbox: Outbox,
        now: Callable[[], datetime],
        zone: tzinfo,
        validity: int,
        hotplug: Hotplug | None = None,
        webhooks: Webhooks | None = None,
        *,
        sticky: bool = False,
    ) -> None:
        self.store = store
        self.webhooks = webhooks or Webhooks(store, now, zone, lambda hook: None)
        self.phones = phones
        self.zone = zone
        self.validity = validity
        self.sticky = sticky
        self.now = now
        self._outbox = outbox
        self._hotplug = hotplug
        self._counted: tuple[int, dict[str, int]] | None = None

    async def ports(self) -> list[dict[str, Any]]:
        """Every serial port of every USB device: what it is taken for, and who has it."""
        rows = self._hotplug.ports() if self._hotplug is not None else []

        def look() -> list[dict[str, Any]]:
            return [row | {"holder": _holder(row["device"])} for row in rows]

        try:
            return await apart("/proc", look, HOLDERS_TIMEOUT)
        except Stuck:
            return [row | {"holder": None} for row in rows]

    def count_parts(self, text: str) -> int:
        """How many SMS a text takes."""
        return count_parts(text)

    def validity_by(self, phone: int | None) -> int:
        """How long a message may wait that has no validity of its own, in seconds."""
        own = None if phone is None else self.phones[phone].record.validity
        return self.validity if own is None else own

    def pauses(self) -> dict[str, Any]:
        """What is paused: everything, and which phones."""
        paused = [phone.record.name for phone in self.phones.all() if phone.paused]
        return {"paused": self._outbox.paused, "phones": paused}

    def held(self, phone: Phone) -> bool:
        """Whether a phone is not to send now though it is well: it is paused, or all is."""
        held = any(s.held for s in self.phones.standings() if s.phone.id == phone.record.id)
        return self._outbox.paused or held

    async def accept(
        self, account: int, draft: Draft, once: Once | None, *, anybodys: bool = False
    ) -> Accepted:
        """Keep a draft; when this returns it is durable. ``anybodys``: see `Outgoing.schedule`."""
        accepted = await self.store.outgoing.schedule(account, draft, once, anybodys=anybodys)
        self._outbox.wake()
        return accepted

    async def resolve(
        self, message: int, account: int | None, resolution: Resolution, who: str
    ) -> State | None:
        """Settle a message in doubt as a person says; see `Doubts.resolve`."""
        state = await self.store.doubts.resolve(message, account, resolution, who)
        if state is not None:
            log.warning(
                "a person has settled a message in doubt",
                extra=fields(message=message, resolution=resolution, state=state, account=who),
            )
            self._outbox.wake()
        return state

    async def pause(self, phone: int, who: str) -> None:
        """Let nothing more leave, or nothing by a phone, until it is resumed; over restarts too."""
        await self.store.pauses.pause(phone, who)
        await self.mind_pauses()
        log.warning("sending is paused", extra=fields(phone=self._name(phone), account=who))

    async def resume(self, phone: int, who: str) -> None:
        """End a pause; that of everything ends those of the phones as well."""
        await self.store.pauses.resume(phone)
        if phone == EVERYTHING:
            self._outbox.paused = False  # also where the configuration had it so at the start
        await self.mind_pauses()
        log.warning("sending is resumed", extra=fields(phone=self._name(phone), account=who))

    async def mind_pauses(self) -> None:
        """Do as the store says of pauses; a phone that came later is to be told too."""
        paused = await self.store.pauses.all()
        self._outbox.paused = self._outbox.paused or EVERYTHING in paused
        self.phones.pause(paused)
        self._outbox.wake()

    def _name(self, phone: int) -> str | None:
        return None if phone == EVERYTHING else self.phones[phone].record.name

    async def statuses(self) -> dict[int, str]:
        """Every phone's status in RaspiSMS's words, its limits included, at this moment."""
        return {int(c.phone.id): str(health(c)[0]) for c in await self._candidates()}

    async def _candidates(self) -> Sequence[Candidate]:
        return await self.store.views.candidates(self.phones.standings(), self.phones.counts())

    async def look(self, phone: int) -> str | None:
        """Ask a phone how it is and tell its status; ``None`` if there is no such phone."""
        if phone not in self.phones:
            return None
        if not self.phones[phone].disabled:
            await self.phones[phone].adapter.check()
        return (await self.statuses())[phone]

    async def message(
        self, message: int, account: int | None
    ) -> tuple[Mapping[str, Any], str | None] | None:
        """A message with all its rows, and why it goes where it goes or what it waits for."""
        row = await self.store.views.message(message, account)
        if row is None:
            return None
        if row["state"] == State.QUEUED:
            went = any(part["state"] == "sent" for a in row["attempts"] for part in a["parts"])
            candidates = await self._candidates()
            return row, self._waits_for(row, candidates, went=went)
        return row, row["attempts"][-1]["route"] if row["attempts"] else None

    async def waits(self, rows: Sequence[Mapping[str, Any]]) -> dict[int, str]:
        """What those of the messages wait for that are queued, as far as their rows tell."""
        queued = [row for row in rows if row["state"] == State.QUEUED]
        candidates = await self._candidates() if queued else ()
        return {
            row["id"]: self._waits_for(row, candidates, went=row["begun_on"] is not None)
            for row in queued
        }

    def _waits_for(
        self, row: Mapping[str, Any], candidates: Sequence[Candidate], *, went: bool
    ) -> str:
        if self._outbox.paused:
            return "waits: sending is paused"
        decision = choose(queued_of(row, went=went), candidates, self.now(), self.zone)
        due = row["due_at"] <= self.now().timestamp() * 1000
        match decision:
            case Later(words=words):
                return f"waits: {words}"
            case _ if not due:
                return f"waits before it is tried again: {row['fault_words'] or 'it is not due'}"
            case Route(words=words):
                return f"about to leave by {words}"
            case Wait(words=words):
                return f"waits: {words}"
            case _:
                return "no phone takes it"

    def _shown(self, at: datetime | None) -> str | None:
        return None if at is None else at.astimezone(self.zone).isoformat(timespec="seconds")

    def _limit(self, window: Window) -> dict[str, Any]:
        limit = window.limit
        return {
            "volume": limit.volume,
            "unit": "messages" if limit.by_message else "parts",
            "startpoint": limit.startpoint,
            "used": window.used,
            "left": max(0, limit.volume - window.used),
            "resets_at": self._shown(window.resets_at),
        }

    async def line(self) -> str:
        """Phones and queue in a line; the store is asked only if something has changed there."""
        if self._counted is None or self._counted[0] != self.store.views.changes:
            try:
                counts = await self.store.views.counts()
            except StoreUnavailable:
                return "nothing can be stored"
            self._counted = self.store.views.changes, counts
        counts = self._counted[1]
        standings = self.phones.standings()
        states = ", ".join(f"{s.phone.name} {s.held or s.health}" for s in standings)
        paused = "PAUSED: nothing is sent; " if self._outbox.paused else ""
        queue = f"{counts['queued']} queued, {counts['uncertain']} uncertain"
        return f"{paused}{states or 'no phones'}; {queue}"

    async def health(self) -> dict[str, Any]:
        """What a monitor asks: can we store, are phones there, what waits."""
        try:
            counts: dict[str, int] = await self.store.views.counts()
            candidates = await self._candidates()
        except StoreUnavailable as error:
            problem = f"nothing can be stored: {error}"
            return {
                "status": "failed",
                "problems": [problem],
                "store": str(error),
                "paused": self._outbox.paused,
                "notices": [],
                "phones": [],
                "queue": None,
            }
        phones = []
        for candidate in candidates:
            status, words = health(candidate)
            standing, phone = candidate.standing, self.phones[candidate.phone.id]
            bar = phone.barred(self.now())
            phones.append(
                {
                    "id": int(candidate.phone.id),
                    "name": candidate.phone.name,
                    "adapter": candidate.phone.adapter,
                    "status": str(status),
                    "since": self._shown(standing.since),
                    "reason": words or None,
                    "hint": standing.hint,
                    "until": self._shown(bar.until) if bar is not None else None,
                    "limits": [self._limit(window) for window in candidate.windows],
                    **({"held": standing.held} if standing.held else {}),
                    **phone.facts,
                }
            )
        problems = _problems(phones, counts, paused=self._outbox.paused)
        problems += [f"{p.record.name} is paused" for p in self.phones.all() if p.paused]
        problems += [self._outbox.clock.doubt] if self._outbox.clock.doubt is not None else []
        problems += self._hotplug.problems() if self._hotplug is not None else []
        problems += self.webhooks.problems()
        return {
            "status": "degraded" if problems else "ok",
            "problems": problems,
            "store": "ok",
            "paused": self._outbox.paused,
            "notices": [
                f"{phone.record.name} sends again what it left in doubt (on_uncertain): "
                "recipients may get messages twice"
                for phone in self.phones.all()
                if phone.record.resend_after is not None
            ],
            "phones": phones,
            "queue": {
                **{key: value for key, value in counts.items() if key != "oldest"},
                "oldest_seconds": counts["oldest"] // 1000,
            },
        }


def _holder(device: str) -> str | None:
    found = holders(device) if device else []
    return ", ".join(f"{name} (pid {pid})" for pid, name in found) or None


def _problems(
    phones: Sequence[Mapping[str, Any]], counts: Mapping[str, int], *, paused: bool
) -> list[str]:
    """What a person should know of, in words; nothing if all is well."""
    found = ["sending is paused"] if paused else []
    able = (Health.AVAILABLE, Health.DISABLED)
    found += [
        f"{phone['name']} is {phone['status']}"
        + (f": {phone['reason']}" if phone["reason"] else "")
        for phone in phones
        if phone["status"] not in able
    ]
    if not any(phone["status"] == Health.AVAILABLE for phone in phones):
        found.append("no phone can send")
    if counts["uncertain"]:
        found.append(f"{counts['uncertain']} messages are uncertain")
    if counts["oldest"] > LONG_WAIT * 1000:
        found.append(f"a message has waited for {counts['oldest'] // 60_000} minutes")
    return found
