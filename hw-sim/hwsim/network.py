"""The mobile network and its SC: subscribers, delays, delivery reports, and a memory of it all."""

import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from hwsim import tpdu
from hwsim.clock import Clock
from hwsim.incoming import deliver_of, dialled, status_report

RETRY_DELAY = 0.2
# What comes out of order is overtaken for so long.
OVERTAKEN = 1.0
# How long a link stays after a message while +CMMS asks for it (27.005 3.3.2: 1 to 5 s).
LINK_KEPT = 5.0
CREDIT_CODE = 21


class Handset(Protocol):
    """What the network sees of a modem."""

    @property
    def name(self) -> str:
        """Which modem it is."""

    @property
    def number(self) -> str:
        """The subscriber's number, +33…."""

    @property
    def registration(self) -> int:
        """The state of +CREG."""

    def receive(self, octets: bytes) -> bool:
        """Take an SMS-DELIVER or a status report; False: not now, keep it."""

    def registration_changed(self) -> None:
        """The cell's attitude changed; `Network.registration` tells."""


@dataclass(frozen=True, slots=True)
class Latency:
    """How long the network takes for one message: fixed, uniform or lognormal, in seconds."""

    kind: str = "fixed"
    first: float = 0.0  # the value, the least, or the median
    second: float = 0.0  # nothing, the most, or sigma

    def __post_init__(self) -> None:
        if self.kind not in ("fixed", "uniform", "lognormal"):
            raise ValueError(f"latency {self.kind}: fixed, uniform or lognormal")

    def sample(self, rng: random.Random) -> float:
        """Draw one."""
        if self.kind == "uniform":
            return rng.uniform(self.first, self.second)
        if self.kind == "lognormal":
            return rng.lognormvariate(0, self.second) * self.first
        return self.first


@dataclass(slots=True)
class Settings:
    """What `hwsim ctl DIR network` turns; probabilities are between 0 and 1."""

    report_delay: float = 0.05
    deliver_delay: float = 0.02
    latency: float = 0.0
    send_latency: Latency = Latency()
    link_setup: float = 0.0
    registered: int = 1
    reports: bool = True
    reports_early: bool = False
    report_status: int = 0
    loss: float = 0.0
    report_loss: float = 0.0
    duplicate: float = 0.0
    reorder: float = 0.0
    seed: int = 0


@dataclass(frozen=True, slots=True)
class UssdReply:
    """One +CUSD that the network answers with (27.007 7.15)."""

    text: str | None
    mode: int = 0
    delay: float = 0.05
    at_once: bool = False  # before the OK of the request
    coding: str = ""  # ucs2, or whatever fits
    scheme: int | None = None  # a data coding scheme that lies


@dataclass(slots=True)
class _Refusal:
    code: int
    left: float  # how many more, or until when


@dataclass(slots=True)
class Submitted:
    """An SMS-SUBMIT that the SC accepted."""

    modem: str
    sender: str
    octets: bytes
    outline: tpdu.Outline
    at: float


@dataclass(slots=True)
class _Delivery:
    octets: bytes
    delivered: Callable[[], None] | None = None


@dataclass(slots=True)
class _Subscriber:
    handset: Handset
    messages: deque[_Delivery] = field(default_factory=deque)
    reports: deque[_Delivery] = field(default_factory=deque)


class _Nobody:
    """A number whose card is in no modem."""

    def __init__(self, number: str) -> None:
        self.name = ""
        self.number = number
        self.registration = 0

    def receive(self, octets: bytes) -> bool:
        """See `Handset`."""
        return False

    def registration_changed(self) -> None:
        """See `Handset`."""


class Network:
    """One network with one SC; whoever is not a modem of ours is "the outside"."""

    def __init__(self, clock: Clock, settings: Settings | None = None) -> None:
        self.clock = clock
        self.settings = settings or Settings()
        self.sent: list[Submitted] = []
        self._subscribers: dict[str, _Subscriber] = {}
        self.rng = random.Random(f"{self.settings.seed} network")
        self.ussd: dict[str, list[UssdReply]] = {}
        self.attempts = 0
        self._error: _Refusal | None = None
        self._bad: dict[str, _Refusal] = {}
        self._credit: dict[str, float] = {}
        self._links: dict[str, float] = {}
        self._start = clock.time()
        self._reference = 0

    def connect(self, handset: Handset) -> None:
        """Make a modem known under its number."""
        known = self._subscribers.get(handset.number)
        if known is None:
            self._subscribers[handset.number] = _Subscriber(handset)
        else:
            known.handset = handset

    def move(self, handset: Handset, before: str) -> None:
        """Follow a modem whose card was changed; what waits for the old number goes on waiting."""
        left = self._subscribers.get(before)
        if left is not None and left.handset is handset:
            left.handset = _Nobody(before)
        self.connect(handset)
        self.retry(handset)

    @property
    def elapsed(self) -> float:
        """Seconds since the network began."""
        return self.clock.time() - self._start

    def register(self, state: int) -> None:
        """Change the registration state (27.007 +CREG) that the cell grants to everyone."""
        self.settings.registered = state
        for subscriber in self._subscribers.values():
            subscriber.handset.registration_changed()
            self.retry(subscriber.handset)

    # ------------------------------------------------------------------ what it refuses

    def fail(self, code: int | None, seconds: float) -> None:
        """Refuse everything for a while, or with None no more."""
        until = self.clock.time() + seconds
        self._error = None if code is None else _Refusal(code, until)

    def refuse(self, number: str, code: int | None, count: float) -> None:
        """Refuse a destination so many times, or with None no more."""
        if code is None:
            self._bad.pop(dialled(number), None)
        else:
            self._bad[dialled(number)] = _Refusal(code, count)

    def set_credit(self, handset: Handset, left: float | None) -> None:
        """Let a modem send so many more messages; None: as many as it likes."""
        if left is None:
            self._credit.pop(handset.number, None)
        else:
            self._credit[handset.number] = left

    def credit(self, handset: Handset) -> float | None:
        """How many messages a modem may still send; None when nobody counts."""
        return self._credit.get(handset.number)

    def refusal(self, handset: Handset, number: str) -> int | None:
        """Say which RP cause a submission ends in, None when it is accepted."""
        self.attempts += 1
        if self._error is not None:
            if self.clock.time() < self._error.left:
                return self._error.code
            self._error = None
        bad = self._bad.get(dialled(number)) if self._bad else None
        if bad is not None and bad.left > 0:
            bad.left -= 1
            return bad.code
        left = self._credit.get(handset.number) if self._credit else None
        if left is not None:
            if left < 1:
                return CREDIT_CODE
            self._credit[handset.number] = left - 1
        return None

    def sending_time(self, handset: Handset, *, keep: bool) -> float:
        """Say how long the next message takes; `keep` holds the link open behind it."""
        settings = self.settings
        delay = settings.send_latency.sample(self.rng)
        if settings.link_setup and not self.link_held(handset):
            delay += settings.link_setup
        self._links[handset.name] = self.clock.time() + delay + LINK_KEPT if keep else 0.0
        return delay

    def link_held(self, handset: Handset) -> bool:
        """Tell whether the link of the last message is still there."""
        return self._links.get(handset.name, 0.0) > self.clock.time()

    def ussd_replies(self, path: str, text: str) -> list[UssdReply]:
        """Give what a request is answered; unknown codes are named, *100# tells a balance."""
        known = self.ussd.get(path)
        if known is not None:
            return known
        return [UssdReply("12.34" if text == "*100#" else f"Simulated: {text}")]

    # ------------------------------------------------------------------ from the modems

    def submit(self, sender: Handset, octets: bytes, *, report_at_once: bool = False) -> None:
        """Accept an SMS-SUBMIT whose TP-MR is already the modem's own."""
        outline = tpdu.outline_submit(octets)
        accepted = self.clock.now()
        at = self.elapsed
        self.sent.append(Submitted(sender.name, sender.number, octets, outline, round(at, 6)))
        settings = self.settings
        lost = settings.loss > 0 and self.rng.random() < settings.loss
        wanted = outline.report_requested and settings.reports and not lost
        if wanted and settings.report_loss:
            wanted = self.rng.random() >= settings.report_loss
        report_at_once = report_at_once or settings.reports_early
        status = settings.report_status

        number = sender.number

        def report() -> None:
            done = self.clock.now()
            octets_of_report = status_report(octets[1], outline, accepted, done, status)
            self._arrive(number, _Delivery(octets_of_report))

        due = self.clock.time() + self.settings.report_delay

        def delivered() -> None:
            if wanted and not report_at_once:
                self._later(due - self.clock.time(), report)

        if wanted and report_at_once:
            report()
        if lost:
            return
        target = self._subscribers.get(dialled(outline.number))
        if target is None or status >= 0x40:
            delivered()
            return
        message = deliver_of(outline, sender.number, accepted)
        self._later(
            self.settings.deliver_delay,
            lambda: self._arrive(target.handset.number, _Delivery(message, delivered)),
        )

    def retry(self, handset: Handset) -> None:
        """Offer again, soon, what the modem could not take."""
        waiting = self._subscribers.get(handset.number)
        if waiting and (waiting.messages or waiting.reports):
            self._later(RETRY_DELAY, lambda: self._pump(waiting))

    def resume(self, handset: Handset) -> None:
        """Go on at once: the modem acknowledged what it had."""
        if handset.number in self._subscribers:
            self._pump(self._subscribers[handset.number])

    def give_back(self, handset: Handset, octets: bytes) -> None:
        """Take back what the modem could neither route nor store; offered again later."""
        subscriber = self._subscribers[handset.number]
        queue = subscriber.reports if octets[0] & 3 == 2 else subscriber.messages
        queue.appendleft(_Delivery(octets))
        self.retry(handset)

    # ------------------------------------------------------------------ to the modems

    def find(self, name_or_number: str) -> Handset | None:
        """Find a modem by its name or number."""
        for number, subscriber in self._subscribers.items():
            if name_or_number in (number, subscriber.handset.name):
                return subscriber.handset
        return None

    def deliver(self, handset: Handset, octets: bytes) -> None:
        """Send a TPDU to a modem, `deliver_delay` from now."""
        self._later(
            self.settings.deliver_delay,
            lambda: self._arrive(handset.number, _Delivery(octets)),
        )

    def waiting(self, handset: Handset) -> int:
        """How many messages and reports wait for a modem."""
        found = self._subscribers.get(handset.number)
        return len(found.messages) + len(found.reports) if found else 0

    def next_concat_reference(self) -> int:
        """Give the reference of the next long message from the outside."""
        self._reference = self._reference % 255 + 1
        return self._reference

    def _arrive(self, number: str, delivery: _Delivery) -> None:
        """Deliver as the settings have it: some twice, some overtaken by the next."""
        settings = self.settings
        if settings.duplicate and self.rng.random() < settings.duplicate:
            self._enqueue(number, _Delivery(delivery.octets))
        if settings.reorder and self.rng.random() < settings.reorder:
            self._later(OVERTAKEN, lambda: self._enqueue(number, delivery))
        else:
            self._enqueue(number, delivery)

    def _enqueue(self, number: str, delivery: _Delivery) -> None:
        subscriber = self._subscribers[number]
        report = delivery.octets[0] & 3 == 2
        (subscriber.reports if report else subscriber.messages).append(delivery)
        self._pump(subscriber)

    def _pump(self, subscriber: _Subscriber) -> None:
        for queue in (subscriber.messages, subscriber.reports):
            while queue and subscriber.handset.receive(queue[0].octets):
                delivery = queue.popleft()
                if delivery.delivered is not None:
                    delivery.delivered()

    def _later(self, delay: float, callback: Callable[[], None]) -> None:
        if delay <= 0:
            callback()
        else:
            self.clock.call_later(delay, callback)
