"""The mobile network and its SC: subscribers, delays, delivery reports, and a memory of it all."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from hwsim import bits, tpdu
from hwsim.clock import Clock

RETRY_DELAY = 0.2


class Handset(Protocol):
    """What the network sees of a modem."""

    name: str

    @property
    def number(self) -> str:
        """The subscriber's number, +33…."""

    def receive(self, octets: bytes) -> bool:
        """Take an SMS-DELIVER or a status report; False: not now, keep it."""

    def registration_changed(self) -> None:
        """The cell's attitude changed; `Network.registration` tells."""


@dataclass(slots=True)
class Settings:
    """What `hwsim ctl DIR network` turns."""

    report_delay: float = 0.05
    deliver_delay: float = 0.02
    latency: float = 0.0
    registered: int = 1
    reports: bool = True
    report_status: int = 0
    loss: bool = False


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


class Network:
    """One network with one SC; whoever is not a modem of ours is "the outside"."""

    def __init__(self, clock: Clock, settings: Settings | None = None) -> None:
        self.clock = clock
        self.settings = settings or Settings()
        self.sent: list[Submitted] = []
        self._subscribers: dict[str, _Subscriber] = {}
        self._start = clock.time()
        self._reference = 0

    def connect(self, handset: Handset) -> None:
        """Make a modem known under its number."""
        self._subscribers[handset.number] = _Subscriber(handset)

    def register(self, state: int) -> None:
        """Change the registration state (27.007 +CREG) that the cell grants to everyone."""
        self.settings.registered = state
        for subscriber in self._subscribers.values():
            subscriber.handset.registration_changed()
            self.retry(subscriber.handset)

    # ------------------------------------------------------------------ from the modems

    def submit(self, sender: Handset, octets: bytes, *, report_at_once: bool = False) -> None:
        """Accept an SMS-SUBMIT whose TP-MR is already the modem's own."""
        outline = tpdu.outline_submit(octets)
        accepted = self.clock.now()
        at = self.clock.time() - self._start
        self.sent.append(Submitted(sender.name, sender.number, octets, outline, round(at, 6)))
        wanted = outline.report_requested and self.settings.reports and not self.settings.loss
        status = self.settings.report_status

        def report() -> None:
            done = self.clock.now()
            octets_of_report = status_report(octets[1], outline, accepted, done, status)
            self._enqueue(sender.number, _Delivery(octets_of_report))

        due = self.clock.time() + self.settings.report_delay

        def delivered() -> None:
            if wanted and not report_at_once:
                self._later(due - self.clock.time(), report)

        if wanted and report_at_once:
            report()
        if self.settings.loss:
            return
        target = self._subscribers.get(dialled(outline.number))
        if target is None or status >= 0x40:
            delivered()
            return
        message = deliver_of(outline, sender.number, accepted)
        self._later(
            self.settings.deliver_delay,
            lambda: self._enqueue(target.handset.number, _Delivery(message, delivered)),
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
            lambda: self._enqueue(handset.number, _Delivery(octets)),
        )

    def next_concat_reference(self) -> int:
        """Give the reference of the next long message from the outside."""
        self._reference = self._reference % 255 + 1
        return self._reference

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


# --------------------------------------------------------------------------- what the SC writes


def dialled(number: str) -> str:
    """Give the subscriber number that a subscriber of this French network dials."""
    if number.startswith("00"):
        return "+" + number[2:]
    return "+33" + number[1:] if number.startswith("0") else number


def deliver_of(outline: tpdu.Outline, sender: str, accepted: datetime) -> bytes:
    """Turn a submitted message into the SMS-DELIVER that its destination gets."""
    first = 0x04 | outline.first & 0xC0
    octets = bytes([first]) + tpdu.encode_address(tpdu.address_of(sender))
    octets += bytes([outline.pid, outline.dcs]) + tpdu.encode_time(accepted.isoformat())
    return octets + outline.user_data


def status_report(
    reference: int, outline: tpdu.Outline, accepted: datetime, done: datetime, status: int
) -> bytes:
    """Write the SMS-STATUS-REPORT; TP-RA is the destination, octet for octet."""
    octets = bytes([0x06, reference]) + outline.destination
    octets += tpdu.encode_time(accepted.isoformat()) + tpdu.encode_time(done.isoformat())
    return octets + bytes([status])


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message from the outside, before it is cut into parts."""

    sender: str
    text: str | None
    data: bytes = b""
    reference: int | None = None
    wide: bool = False
    message_class: int | None = None


def cut(message: Incoming, sent_at: datetime, fallback_reference: int) -> list[bytes]:
    """Cut a message into SMS-DELIVER TPDUs, no escape or surrogate pair across two of them."""
    alphabet, units = _units(message)
    room, short = {"gsm7": (160, 7), "ucs2": (70, 3), "data8": (140, 6)}[alphabet]
    if len(units) > room:
        # Six octets of header, seven when the reference is wide: 7 or 8 septets, 3 or 4 units.
        room -= short + (1 if message.wide else 0)
    elif message.reference is not None:
        room -= short + (1 if message.wide else 0)
    chunks = _chunks(units, room, alphabet) or [[]]
    if len(chunks) > 255:
        raise ValueError(f"{len(chunks)} parts, 255 are possible")
    reference = fallback_reference if message.reference is None else message.reference
    concatenated = len(chunks) > 1 or message.reference is not None
    dcs = {"gsm7": 0, "data8": 4, "ucs2": 8}[alphabet]
    if message.message_class is not None:
        dcs |= 0x10 | message.message_class
    parts = []
    for number, chunk in enumerate(chunks, 1):
        fields: dict[str, Any] = {
            "type": "deliver",
            "flags": {"mms": number == len(chunks)},
            "originator": tpdu.address_of(message.sender),
            "sent_at": sent_at.isoformat(),
            "dcs": dcs,
        }
        if alphabet == "data8":
            fields["data"] = bytes(chunk).hex()
        elif alphabet == "ucs2":
            octets = b"".join(unit.to_bytes(2, "big") for unit in chunk)
            fields["text"] = octets.decode("utf-16-be", "surrogatepass")
        else:
            fields["text"] = bits.spell(chunk)
        if concatenated:
            fields["concat"] = {
                "reference": reference,
                "total": len(chunks),
                "number": number,
                "wide": message.wide,
            }
        parts.append(tpdu.encode(fields))
    return parts


def _units(message: Incoming) -> tuple[str, list[int]]:
    if message.text is None:
        return "data8", list(message.data)
    try:
        return "gsm7", bits.septets_of(message.text)
    except ValueError:
        octets = message.text.encode("utf-16-be", "surrogatepass")
        pairs = range(0, len(octets), 2)
        return "ucs2", [int.from_bytes(octets[i : i + 2], "big") for i in pairs]


def _chunks(units: list[int], room: int, alphabet: str) -> list[list[int]]:
    chunks = []
    while units:
        end = min(room, len(units))
        if end < len(units) and (
            (alphabet == "gsm7" and units[end - 1] == bits.ESCAPE)
            or (alphabet == "ucs2" and 0xD800 <= units[end - 1] < 0xDC00)
        ):
            end -= 1
        chunks.append(units[:end])
        units = units[end:]
    return chunks
