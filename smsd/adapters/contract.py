"""The phone adapter contract: RaspiSMS's, in Python and asynchronous.

RaspiSMS's ``send`` is `Adapter.send`, ``read`` and its callbacks are events given to a `Sink`,
``test`` and ``check_phone_status`` are `Adapter.check`.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from smsd.model.events import (
    Awaited,
    CallBegan,
    CallEnded,
    Doubt,
    Incoming,
    LateAnswer,
    Report,
)  # fmt: skip
from smsd.model.message import AttemptId, Fault, FaultClass, MessageId
from smsd.model.phone import Health


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What an adapter can do; ``slots`` is how many messages it takes at a time.

    ``ussd``: it is an `smsd.adapters.abilities.AsksNetwork` too.
    """

    slots: int = 1
    cloud: bool = False
    ussd: bool = False
    flash: bool = False
    mms: bool = False
    voice: bool = False


@dataclass(frozen=True, slots=True)
class Submission:
    """One message for one recipient, as an adapter is to send it.

    ``validity`` is in minutes. ``taken`` are the parts that this phone's network took in an
    earlier attempt, with their references: they are not sent again.
    """

    message: MessageId
    attempt: AttemptId
    destination: str
    text: str
    flash: bool = False
    validity: int = 1440
    report: bool = True
    taken: Mapping[int, str | None] = field(default_factory=dict)


class Progress(Protocol):
    """Where an adapter tells, durably, how far a submission has come."""

    async def begin(self, part: int, total: int) -> None:
        """The part is about to leave; once this returns a crash cannot hide it."""
        ...

    async def complete(self, part: int, reference: str | None) -> None:
        """The network took the part and gave it ``reference``: TP-MR or the provider's id.

        A power cut in the moment after may forget it: the part is in doubt then.
        """
        ...


class Sink(Protocol):
    """Where an adapter takes what happens on its phone. Each call returns once it is durable."""

    async def received(self, incoming: Incoming) -> None:
        """A message or a part of one came; after this the phone's copy may be deleted."""
        ...

    async def reported(self, report: Report) -> None:
        """A delivery report came."""
        ...

    async def answered_late(self, answer: LateAnswer) -> None:
        """A part that had been given up was taken after all."""
        ...

    async def called(self, call: CallBegan) -> None:
        """A call came in, or the number of one became known."""
        ...

    async def call_ended(self, call: CallEnded) -> None:
        """A call is over."""
        ...

    async def awaited(self) -> Sequence[Awaited]:
        """The parts of this phone on which a report is still to come, oldest first."""
        ...

    async def doubts(self) -> Sequence[Doubt]:
        """The parts of this phone that may have gone, in flight or given up, oldest first."""
        ...

    async def bound(self, references: Collection[str]) -> Collection[str]:
        """Those of a provider's ids that parts of this phone have already."""
        ...

    async def pin_may_be_tried(self, sim: str, pin: str, tries: int | None) -> bool:
        """Claim the one try that a PIN has on a SIM, before it is entered; False if it is gone.

        ``tries`` is what the SIM has left, ``None`` if it does not tell. A claim that we did not
        live to settle holds no more where the SIM has all its tries.
        """
        ...

    async def pin_settled(self, sim: str, pin: str, *, refused: bool) -> None:
        """Tell what became of the try: a refused PIN is never tried on that SIM again."""
        ...

    async def recall(self, key: str) -> str | None:
        """What was remembered under a key, by any phone; ``None`` if nothing was."""
        ...

    async def remember(self, key: str, value: str) -> None:
        """Keep what was learnt of a model, for the next time and for others of its kind."""
        ...

    def health(
        self,
        health: Health,
        words: str = "",
        *,
        hint: str | None = None,
        until: datetime | None = None,
    ) -> None:
        """The phone's own state changed; ``until`` when it is known to end."""
        ...

    def facts(self, **facts: str | int | None) -> None:
        """What is known of the device: ``imei``, ``iccid``, ``operator``, and so on."""
        ...


class Adapter(Protocol):
    """A phone: `run` is its life, called again whenever it ends, and `send` its work."""

    @property
    def capabilities(self) -> Capabilities:
        """What this phone can do."""
        ...

    async def run(self, sink: Sink) -> None:
        """Open the phone, serve it, and raise a `PhoneError` when it is lost."""
        ...

    async def send(self, submission: Submission, progress: Progress) -> None:
        """Send every part that is not yet taken; raise the `PhoneError` that says what is next."""
        ...

    async def check(self) -> None:
        """Ask the phone how it is and tell the sink; does nothing while it is not open."""
        ...

    async def distrust(self) -> None:
        """Told that nothing comes in although it should: look for what is wrong."""
        ...


class PhoneError(Exception):
    """Something went wrong with a phone or a submission; the class says what comes next."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.words if fault.code is None else f"{fault.code}: {fault.words}")
        self.fault = fault


class Rejected(PhoneError):
    """The message will not go, by this phone or another."""


class Declined(PhoneError):
    """This phone will not take this message; another may."""


class Throttled(PhoneError):
    """Proven not sent; this phone may be asked again after ``retry_after`` seconds.

    After ``tries`` attempts it counts as `Rejected`; ``None``: until the message's validity ends.
    """

    def __init__(self, fault: Fault, *, retry_after: float, tries: int | None = None) -> None:
        super().__init__(fault)
        self.retry_after = retry_after
        self.tries = tries


class Unavailable(PhoneError):
    """Proven not sent; the phone cannot send anything at the moment.

    ``health`` is what the phone is from now on, until ``until`` or until it says otherwise.
    """

    def __init__(
        self, fault: Fault, *, health: Health = Health.UNAVAILABLE, seconds: float | None = None
    ) -> None:
        super().__init__(fault)
        self.health = health
        self.seconds = seconds


class Uncertain(PhoneError):
    """It may have gone: never send it again without being told to."""


class PhoneLost(PhoneError):
    """The phone went away while it was served: the supervisor opens it again.

    ``pause`` is in seconds, ``None``: longer from time to time.
    """

    def __init__(self, fault: Fault, *, pause: float | None = None) -> None:
        super().__init__(fault)
        self.pause = pause


class Absent(PhoneLost):
    """The device is not there, or is nothing to open as it is; `Adapter.run` waits for it itself.

    So the next run may follow at once, whatever failed before.
    """


class Broken(PhoneLost):
    """The device is there, and the system cannot use it as it is."""


def lost(words: str, *, hint: str | None = None, pause: float | None = None) -> PhoneLost:
    """A `PhoneLost` in words."""
    return PhoneLost(Fault(FaultClass.MODEM, words, hint=hint), pause=pause)
