"""The life of a phone: opened, served, lost, opened again, for ever; and no phone stops another."""

import asyncio
import logging
from typing import Final

from smsd.adapters.contract import (
    Absent,
    Adapter,
    PhoneError,
    PhoneLost,
    Progress,
    Sink,
    Submission,
    Throttled,
    Uncertain,
)
from smsd.logs import PHONE, fields
from smsd.model.message import Fault, FaultClass
from smsd.model.phone import Health

log: Final = logging.getLogger(__name__)

FIRST_PAUSE: Final = 1.0  # seconds before the first new try, doubling
LONGEST_PAUSE: Final = 300.0
HEALTHY_AFTER: Final = 600.0  # seconds of service after which the pauses begin anew


async def supervise(
    name: str, adapter: Adapter, sink: Sink, again: asyncio.Event | None = None
) -> None:
    """Run an adapter until cancelled; when it ends, say why, pause and run it again.

    An adapter that knows how long to wait says so (`PhoneLost.pause`). ``again`` ends a pause: the
    phone's device was plugged in anew, or is gone and to be waited for.
    """
    PHONE.set(name)
    again = again or asyncio.Event()
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    pause = FIRST_PAUSE
    while True:
        began = loop.time()
        asked: float | None = None
        again.clear()  # before, not after: a device may be plugged in anew while its port is closed
        try:
            await adapter.run(sink)
        except PhoneError as error:
            asked = error.pause if isinstance(error, PhoneLost) else None
            sink.health(Health.UNAVAILABLE, str(error), hint=error.fault.hint)
            if isinstance(error, Absent) and loop.time() - began >= FIRST_PAUSE:
                pause = (
                    FIRST_PAUSE  # a port that ends as soon as it is opened is a fault like others
                )
        except Exception:
            log.exception("an adapter failed in an unforeseen way")
            sink.health(Health.UNAVAILABLE, "an internal error; the log has the details")
        if task is not None and task.cancelling():
            # A group of tasks that fails while it is cancelled tells of its failure alone.
            raise asyncio.CancelledError
        if loop.time() - began > HEALTHY_AFTER:
            pause = FIRST_PAUSE
        try:
            async with asyncio.timeout(pause if asked is None else asked):
                await again.wait()
            pause = FIRST_PAUSE
        except TimeoutError:
            if asked is None:
                pause = min(2 * pause, LONGEST_PAUSE)


class _Watched:
    """Progress that remembers whether a part is in doubt, and what the store itself raised."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self.in_doubt = False
        self.raised: Exception | None = None

    async def begin(self, part: int, total: int) -> None:
        """See `Progress.begin`."""
        try:
            await self._progress.begin(part, total)
        except Exception as error:
            self.raised = error
            raise
        self.in_doubt = True

    async def complete(self, part: int, reference: str | None) -> None:
        """See `Progress.complete`."""
        await self._progress.complete(part, reference)
        self.in_doubt = False


async def send(adapter: Adapter, submission: Submission, progress: Progress) -> None:
    """Send by an adapter; a fault of its own ends that message's attempt and nothing else."""
    watched = _Watched(progress)
    try:
        await adapter.send(submission, watched)
    except PhoneError:
        raise
    except Exception as error:
        if error is watched.raised:
            raise  # what could not be recorded is the caller's to mend
        log.exception(
            "an adapter failed in an unforeseen way", extra=fields(message=submission.message)
        )
        words = f"an internal error ({type(error).__name__}); the log has the details"
        if watched.in_doubt:
            raise Uncertain(Fault(FaultClass.AMBIGUOUS, words)) from error
        raise Throttled(Fault(FaultClass.RETRY, words), retry_after=60.0, tries=3) from error
