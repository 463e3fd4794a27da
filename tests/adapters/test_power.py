"""What switches a modem's power does not outlive its time. Programs run in real time."""

import asyncio
import logging
import os
from pathlib import Path

import pytest

from smsd.adapters.modem import power
from smsd.adapters.modem.power import cycle


def _script(folder: Path) -> tuple[str, ...]:
    """One that starts another, tells both, and waits for it."""
    return (
        "/bin/sh",
        "-c",
        f"sleep 60 & echo $$ $! > {folder}/new; mv {folder}/new {folder}/pids; wait",
    )


async def _pids(folder: Path) -> list[int]:
    async with asyncio.timeout(10):
        while not (folder / "pids").exists():  # noqa: ASYNC110 nothing tells
            await asyncio.sleep(0.01)
    return [int(pid) for pid in (folder / "pids").read_text().split()]


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


def _gone(pids: list[int]) -> None:
    assert not Path(f"/proc/{pids[0]}").exists(), "it is reaped"
    assert not any(_runs(pid) for pid in pids)


def test_it_is_killed_with_what_it_started_when_its_time_is_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(power, "CYCLE_TIMEOUT", 0.5)

    async def main() -> list[int]:
        assert not await cycle(_script(tmp_path))
        return await _pids(tmp_path)

    _gone(asyncio.run(main()))
    assert "did not end in time" in caplog.text


def test_it_is_killed_with_what_it_started_when_we_stop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(power, "STOP_TIMEOUT", 0.2)

    async def main() -> list[int]:
        task = asyncio.get_running_loop().create_task(cycle(_script(tmp_path)))
        pids = await _pids(tmp_path)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return pids

    _gone(asyncio.run(main()))


def test_a_stop_lets_it_switch_on_again_what_it_switched_off(tmp_path: Path) -> None:
    async def main() -> None:
        relay = tmp_path / "relay"
        script = f"echo off > {relay}; read wait < {tmp_path}/wait; echo on > {relay}"
        os.mkfifo(tmp_path / "wait")
        task = asyncio.get_running_loop().create_task(cycle(("/bin/sh", "-c", script)))
        async with asyncio.timeout(10):
            while not relay.exists() or not relay.read_text():  # noqa: ASYNC110 nothing tells
                await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.sleep(0.05)
        assert not task.done()
        (tmp_path / "wait").write_text("go\n")
        with pytest.raises(asyncio.CancelledError):
            await task
        assert relay.read_text() == "on\n"

    asyncio.run(main())


@pytest.mark.parametrize(
    ("command", "words"),
    [(("/bin/false",), "power_cycle failed"), (("/no/such",), "could not be run")],
)
def test_its_failure_is_logged(
    command: tuple[str, ...], words: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        assert not asyncio.run(cycle(command))
    assert words in caplog.text


def test_its_success_is_not(caplog: pytest.LogCaptureFixture) -> None:
    assert asyncio.run(cycle(("/bin/true",)))
    assert caplog.text == ""
