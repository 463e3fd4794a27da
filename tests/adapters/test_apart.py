"""A call that hangs holds nobody up. Threads run in real time, and so does the loop here."""

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any

import pytest

from smsd.adapters.modem.apart import MOST, Stuck, apart


def run(main: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(main, 20))


def threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "device"]


def let_go(*events: threading.Event) -> None:
    for event in events:
        event.set()
    for thread in threads():
        thread.join(10)


def test_a_call_gives_its_result_or_its_error() -> None:
    async def main() -> None:
        assert await apart("a", lambda: 7, 10) == 7
        with pytest.raises(OSError, match="no such"):
            await apart("a", _fails, 10)

    run(main())
    let_go()
    assert threads() == []


def _fails() -> None:
    raise OSError("no such thing")


def test_a_call_that_hangs_is_left_behind_and_its_result_let_go() -> None:
    late: list[str] = []
    end = threading.Event()

    def hangs() -> str:
        end.wait(10)
        return "a port"

    async def main() -> None:
        with pytest.raises(Stuck, match="no return within"):
            await apart("a", hangs, 0.01, late=late.append)
        assert await apart("a", lambda: "another", 10) == "another"

    run(main())
    assert late == []
    assert all(thread.daemon for thread in threads())
    let_go(end)
    assert late == ["a port"]


def test_a_call_whose_caller_is_cancelled_lets_its_result_go() -> None:
    late: list[str] = []
    end = threading.Event()

    def slow() -> str:
        end.wait(10)
        return "slow"

    async def main() -> None:
        loop = asyncio.get_running_loop()
        task = loop.create_task(apart("a", slow, 10, late=late.append))
        await asyncio.sleep(0)
        [slow_thread] = threads()
        quick = loop.create_task(apart("a", lambda: "quick", 10, late=late.append))
        await asyncio.sleep(0)
        for thread in threads():
            if thread is not slow_thread:
                thread.join(10)  # done, but the loop has not been told yet
        for one in (task, quick):
            one.cancel()
            with pytest.raises(asyncio.CancelledError):
                await one
        await asyncio.sleep(0)
        assert late == ["quick"]

    run(main())
    let_go(end)
    assert late == ["quick", "slow"]


def test_an_error_that_comes_late_is_nobodys() -> None:
    end = threading.Event()

    def hangs() -> None:
        end.wait(10)
        raise OSError("late")

    async def main() -> None:
        with pytest.raises(Stuck):
            await apart("a", hangs, 0.01)

    run(main())
    let_go(end)


def test_a_device_whose_calls_hang_is_refused_and_no_other() -> None:
    end = threading.Event()

    async def main() -> None:
        for _ in range(5):
            assert await apart("a", lambda: 1, 10) == 1
        for _ in range(MOST):
            with pytest.raises(Stuck, match="no return"):
                await apart("a", lambda: end.wait(20), 0.001)
        with pytest.raises(Stuck, match=f"{MOST} earlier calls to a still hang"):
            await apart("a", lambda: 1, 1)
        for number in range(100):
            assert await apart(f"b{number}", lambda: 1, 10) == 1

    run(main())
    let_go(end)

    async def again() -> None:
        assert await apart("a", lambda: 1, 10) == 1

    run(again())
