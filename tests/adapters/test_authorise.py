"""A modem is taken off the USB and always given back. Files are written in real time."""

import asyncio
import os
import threading
from pathlib import Path

import pytest

from smsd.adapters.modem import authorise
from smsd.adapters.modem.authorise import reauthorise

USB = "1-1"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / USB).mkdir()
    file = tmp_path / USB / "authorized"
    file.write_text("1")
    return file


async def _written(file: Path, text: str) -> None:
    async with asyncio.timeout(10):
        while file.read_text() != text:  # noqa: ASYNC110 ASYNC240 nothing tells
            await asyncio.sleep(0.01)


def test_it_is_off_for_a_while_and_on_again(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(authorise, "OFF", 0.2)

    async def main() -> None:
        task = asyncio.get_running_loop().create_task(reauthorise(USB, file.parents[1]))
        await _written(file, "0")
        await task

    asyncio.run(main())
    assert file.read_text() == "1"


def test_who_is_stopped_in_between_gives_it_back(file: Path) -> None:
    async def main() -> None:
        task = asyncio.get_running_loop().create_task(reauthorise(USB, file.parents[1]))
        await _written(file, "0")
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert file.read_text() == "1"


def test_a_kernel_that_does_not_come_back_is_told_and_given_back_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A FIFO blocks who opens it until somebody reads."""
    monkeypatch.setattr(authorise, "WRITE_TIMEOUT", 0.05)
    (tmp_path / USB).mkdir()
    fifo = tmp_path / USB / "authorized"
    os.mkfifo(fifo)

    async def main() -> None:
        with pytest.raises(TimeoutError):
            await reauthorise(USB, tmp_path)

    asyncio.run(main())
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    for _ in range(2):  # those that hung, and what the first of them gives back
        for thread in threading.enumerate():
            if thread.name == "device":
                thread.join(10)
    assert sorted(os.read(reader, 10).decode()) == ["0", "1", "1"]
    os.close(reader)


def test_who_may_not_is_told(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        asyncio.run(reauthorise(USB, tmp_path))
