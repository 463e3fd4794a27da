"""No phone stops another, and nothing in doubt is sent again."""

import asyncio
import itertools
import logging

import pytest

from smsd.adapters.contract import (
    Absent,
    Capabilities,
    PhoneError,
    Progress,
    Sink,
    Submission,
    Throttled,
    Uncertain,
    lost,
)
from smsd.adapters.supervisor import LONGEST_PAUSE, send, supervise
from smsd.logs import TerminalFormatter, fields
from smsd.model.message import Fault, FaultClass
from smsd.model.phone import Health
from tests.adapters.scripted import Notes, Steps, submission
from tests.virtual_time import run

SECRET = "the text of a message"


class Faulty:
    """An adapter that fails as told: in its life, and before, within or after a part."""

    def __init__(self, error: Exception | None = None, *, lives: float = 0.0) -> None:
        self.error = error
        self.lives = lives
        self.runs: list[float] = []
        self.when = "before"

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities()

    async def run(self, sink: Sink) -> None:
        self.runs.append(asyncio.get_running_loop().time())
        await asyncio.sleep(self.lives)
        if self.error is not None:
            raise self.error

    async def distrust(self) -> None:
        raise AssertionError("nobody distrusts it")

    async def send(self, submission: Submission, progress: Progress) -> None:
        for stage in ("before", "within", "after"):
            if self.when == stage and self.error is not None:
                raise self.error
            if stage == "before":
                await progress.begin(1, 1)
            if stage == "within":
                await progress.complete(1, "7")

    async def check(self) -> None:
        return


async def lived(adapter: Faulty, sink: Notes, seconds: float) -> list[float]:
    """The pauses between the ends of an adapter's lives."""
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(seconds):
            await supervise("gsm0", adapter, sink)
    return [b - a - adapter.lives for a, b in zip(adapter.runs, adapter.runs[1:], strict=False)]


@pytest.mark.parametrize("error", [lost("gone", hint="plug it in"), RuntimeError(SECRET), None])
def test_a_phone_is_run_again_with_growing_pauses(
    error: Exception | None, caplog: pytest.LogCaptureFixture
) -> None:
    sink = Notes()
    pauses = run(lived(Faulty(error), sink, 3000))
    assert pauses[:10] == [1, 2, 4, 8, 16, 32, 64, 128, 256, LONGEST_PAUSE]
    assert pauses[-1] == LONGEST_PAUSE
    if error is not None:
        assert sink.healths[0][0] is Health.UNAVAILABLE
        assert SECRET not in sink.healths[0][1]
    if isinstance(error, PhoneError):
        assert sink.hints[0] == "plug it in"
        assert "unforeseen" not in caplog.text


def test_a_phone_that_was_well_begins_anew() -> None:
    assert set(run(lived(Faulty(lost("gone"), lives=601), Notes(), 6000))) == {1.0}


def test_a_phone_whose_device_is_absent_is_run_again_at_once_whatever_failed_before() -> None:
    async def main() -> None:
        adapter = Faulty(lost("it does not answer"))
        task = asyncio.get_running_loop().create_task(supervise("gsm0", adapter, Notes()))
        await asyncio.sleep(200)
        adapter.error, adapter.lives = Absent(Fault(FaultClass.MODEM, "unplugged")), 5.0
        first = len(adapter.runs) + 1
        await asyncio.sleep(400)
        later = adapter.runs[first:]
        assert {b - a for a, b in itertools.pairwise(later)} == {6.0}
        task.cancel()

    run(main())


def test_a_port_that_ends_as_soon_as_it_is_opened_is_tried_ever_more_rarely() -> None:
    adapter = Faulty(Absent(Fault(FaultClass.MODEM, "the port is gone")))
    assert run(lived(adapter, Notes(), 100))[:4] == [1, 2, 4, 8]


def test_a_pause_ends_when_the_device_is_plugged_in_anew() -> None:
    async def main() -> None:
        again = asyncio.Event()
        adapter = Faulty(lost("it does not answer"))
        again.set()  # what was so before the failure does not count
        task = asyncio.get_running_loop().create_task(supervise("gsm0", adapter, Notes(), again))
        await asyncio.sleep(100)
        assert adapter.runs == [0, 1, 3, 7, 15, 31, 63]
        again.set()
        await asyncio.sleep(4)
        assert adapter.runs[7:] == [100, 101, 103]
        task.cancel()

    run(main())


def test_a_device_that_is_plugged_in_anew_while_its_port_is_closed_is_not_missed() -> None:
    class Closing(Faulty):
        async def run(self, sink: Sink) -> None:
            try:
                await super().run(sink)
            finally:
                if len(self.runs) == 5:
                    again.set()
                    await asyncio.sleep(2)

    async def main() -> None:
        adapter = Closing(lost("it does not answer"))
        task = asyncio.get_running_loop().create_task(supervise("gsm0", adapter, Notes(), again))
        await asyncio.sleep(20)
        assert adapter.runs == [0, 1, 3, 7, 15, 17, 18]
        task.cancel()

    again = asyncio.Event()
    run(main())


def test_an_unforeseen_failure_is_logged_with_its_traceback(
    caplog: pytest.LogCaptureFixture,
) -> None:
    run(lived(Faulty(ValueError("odd")), Notes(), 0.5))
    assert "unforeseen" in caplog.text
    assert "Traceback" in caplog.text


def test_supervision_ends_by_cancellation_only() -> None:
    async def main() -> None:
        task = asyncio.get_running_loop().create_task(supervise("gsm0", Faulty(), Notes()))
        await asyncio.sleep(10_000)
        assert not task.done()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(main())


def test_a_message_that_goes_well() -> None:
    steps = Steps()
    run(send(Faulty(), submission(), steps))
    assert steps.completed == [(1, "7")]


@pytest.mark.parametrize(
    ("when", "expected"),
    [("before", Throttled), ("within", Uncertain), ("after", Throttled)],
)
def test_an_unforeseen_failure_is_a_doubt_only_while_a_part_is_out(
    when: str, expected: type[PhoneError], caplog: pytest.LogCaptureFixture
) -> None:
    adapter = Faulty(ValueError(SECRET))
    adapter.when = when
    with (
        caplog.at_level(logging.CRITICAL, logger="smsd.adapters.supervisor"),
        pytest.raises(PhoneError) as raised,
    ):
        run(send(adapter, submission(), Steps()))
    assert type(raised.value) is expected
    assert SECRET not in str(raised.value)


def test_an_adapters_own_verdict_stands() -> None:
    error = Throttled(Fault(FaultClass.RETRY, "busy"), retry_after=1.0)
    with pytest.raises(Throttled) as raised:
        run(send(Faulty(error), submission(), Steps()))
    assert raised.value is error


def test_what_could_not_be_recorded_is_the_callers() -> None:
    class Full(Steps):
        async def begin(self, part: int, total: int) -> None:
            raise OSError("the disk is full")

    with pytest.raises(OSError, match="disk is full"):
        run(send(Faulty(), submission(), Full()))


def test_a_part_whose_completion_could_not_be_recorded_is_in_doubt() -> None:
    class Full(Steps):
        async def complete(self, part: int, reference: str | None) -> None:
            raise OSError("the disk is full")

    with pytest.raises(Uncertain):
        run(send(Faulty(), submission(), Full()))


def test_every_record_of_a_phones_life_names_it() -> None:
    class Telling(Faulty):
        async def run(self, sink: Sink) -> None:
            for values in ({}, {"phone": "gsm7", "step": "L1"}):
                made = logging.makeLogRecord(
                    {"msg": "told", "levelname": "INFO"} | fields(**values)
                )
                said.append(TerminalFormatter().format(made).partition("told ")[2])
            await asyncio.Event().wait()

    said: list[str] = []

    async def main() -> None:
        task = asyncio.get_running_loop().create_task(supervise("gsm0", Telling(), Notes()))
        await asyncio.sleep(1)
        task.cancel()

    run(main())
    assert said == ["phone=gsm0", "phone=gsm7 step=L1"]


class _Grouped(Faulty):
    """Its port vanishes in the moment in which it is cancelled: its group tells of the port."""

    async def run(self, sink: Sink) -> None:
        self.runs.append(0.0)

        async def ends_late() -> None:
            try:
                await asyncio.sleep(100.0)
            finally:
                await asyncio.sleep(1.0)

        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(ends_late())
                await asyncio.sleep(10.0)
                raise lost("the port is gone")
        except BaseExceptionGroup as error:
            [cause] = error.exceptions
            raise cause from None


def test_a_phone_that_fails_while_it_is_cancelled_ends_all_the_same() -> None:
    async def main() -> None:
        adapter = _Grouped()
        async with asyncio.timeout(60.0), asyncio.TaskGroup() as group:
            life = group.create_task(supervise("gsm0", adapter, Notes()))
            await asyncio.sleep(10.5)  # it has failed, and its group ends
            life.cancel()
        assert life.cancelled()
        assert len(adapter.runs) == 1

    run(main())
