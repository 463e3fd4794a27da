"""What Linux tells of its clock; the clock itself is left alone."""

import asyncio
import os

from smsd import kernel


def test_seconds_go_on_and_are_counted_in_seconds() -> None:
    one, other = kernel.steady(), kernel.steady()
    assert 0 < one <= other < one + 60


def test_the_kernel_says_whether_its_clock_is_kept_right() -> None:
    assert kernel.synchronised() in (True, False)


def test_a_watched_clock_that_nobody_sets_wakes_nobody_and_leaves_no_file_open() -> None:
    async def main() -> None:
        told: list[int] = []
        before = len(os.listdir("/proc/self/fd"))
        async with kernel.clock_watched(lambda: told.append(1)):
            await asyncio.sleep(0)
            assert len(os.listdir("/proc/self/fd")) <= before + 1
        assert len(os.listdir("/proc/self/fd")) == before
        assert told == []

    asyncio.run(main())
