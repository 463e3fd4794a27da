"""A real terminal: ours alone, named when it is another's, and seen to go.

The kernel carries octets through a terminal in its own time: what waits for them has a real loop.
"""

import asyncio
import contextlib
import fcntl
import os
import pty
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest

from smsd.adapters.contract import PhoneLost
from smsd.adapters.modem.held import holders
from smsd.adapters.modem.open import opened, present
from smsd.adapters.modem.where import Fixed, Found
from tests.virtual_time import run


@pytest.fixture
def terminal() -> Iterator[tuple[int, str]]:
    """The modem's end of a pseudo terminal, and the path of ours."""
    master, slave = pty.openpty()
    path = os.ttyname(slave)
    os.close(slave)
    yield master, path
    try:
        os.close(master)
    except OSError:
        return


def test_a_terminal_is_read_and_written_raw(terminal: tuple[int, str]) -> None:
    async def main() -> None:
        master, path = terminal
        async with opened(path, 115_200) as (reader, writer):
            writer.write(b"AT\r\x1a\x1b")
            await writer.drain()
            written = b""
            while len(written) < 5:
                written += os.read(master, 100)
            assert written == b"AT\r\x1a\x1b"
            os.write(master, b"\r\nOK\r\n\x03\x11\x13")
            assert await reader.readexactly(9) == b"\r\nOK\r\n\x03\x11\x13"

    asyncio.run(asyncio.wait_for(main(), 10))


def test_a_terminal_that_takes_nothing_is_closed_without_ado(terminal: tuple[int, str]) -> None:
    """The writing side has closed itself by then, which it cannot do twice (H3)."""

    async def main() -> None:
        master, path = terminal
        async with opened(path, 115_200) as (_, writer):
            os.close(master)
            writer.write(b"AT\r")
            while not writer.is_closing():  # noqa: ASYNC110 the transport tells nobody
                await asyncio.sleep(0)
            for _ in range(3):
                await asyncio.sleep(0)

    asyncio.run(asyncio.wait_for(main(), 10))


def test_the_end_of_a_terminal_is_seen(terminal: tuple[int, str]) -> None:
    async def main() -> None:
        master, path = terminal
        async with opened(path, 115_200) as (reader, _):
            os.close(master)
            with contextlib.suppress(OSError):  # EIO or an end, as the kernel likes
                assert await reader.read(100) == b""

    asyncio.run(asyncio.wait_for(main(), 10))


def test_a_terminal_is_opened_again_and_again_without_leaving_anything(
    terminal: tuple[int, str],
) -> None:
    async def main() -> None:
        for _ in range(20):
            async with opened(terminal[1], 115_200):
                pass
            await asyncio.sleep(0)

    before = len(os.listdir("/proc/self/fd"))
    asyncio.run(asyncio.wait_for(main(), 10))
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_terminal_is_ours_alone(terminal: tuple[int, str]) -> None:
    async def main() -> None:
        path = terminal[1]
        async with opened(path, 115_200):
            other = os.open(path, os.O_RDWR | os.O_NOCTTY) if os.geteuid() == 0 else -1
            if other >= 0:  # TIOCEXCL does not keep root out, the lock tells it all the same
                with pytest.raises(BlockingIOError):
                    fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
                os.close(other)
            with pytest.raises(PhoneLost, match="is held by"):
                async with opened(path, 115_200):
                    pass

    asyncio.run(asyncio.wait_for(main(), 10))


HOLD = """
import fcntl, os, sys
fd = os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY)
fcntl.flock(fd, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""


def test_who_holds_a_terminal_is_named(terminal: tuple[int, str]) -> None:
    async def main(pid: int) -> None:
        with pytest.raises(PhoneLost, match=rf"held by .*python.* \(pid {pid}\)") as raised:
            async with opened(terminal[1], 115_200):
                pass
        assert "stop that program" in (raised.value.fault.hint or "")

    with subprocess.Popen(
        [sys.executable, "-c", HOLD, terminal[1]], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        assert [pid for pid, _ in holders(terminal[1])] == [other.pid]
        asyncio.run(asyncio.wait_for(main(other.pid), 10))
        other.communicate()
    assert holders(terminal[1]) == []


def test_a_link_to_a_terminal_is_followed(terminal: tuple[int, str], tmp_path: Path) -> None:
    async def main() -> None:
        link = tmp_path / "modem"
        link.symlink_to(terminal[1])
        assert present(str(link))
        async with opened(str(link), 9600) as (_, writer):
            fd = os.open(terminal[1], os.O_RDWR | os.O_NOCTTY) if os.geteuid() == 0 else -1
            if fd >= 0:
                assert termios.tcgetattr(fd)[4] == termios.B9600
                os.close(fd)
            assert not writer.is_closing()

    asyncio.run(asyncio.wait_for(main(), 10))


@pytest.mark.parametrize("kind", ["nothing", "file", "folder"])
def test_what_is_no_terminal_is_told(kind: str, tmp_path: Path) -> None:
    async def main() -> None:
        path = tmp_path / kind
        if kind == "file":
            path.write_text("")
        elif kind == "folder":
            path.mkdir()
        with pytest.raises(PhoneLost, match="cannot be opened"):
            async with opened(str(path), 115_200):
                pass

    asyncio.run(asyncio.wait_for(main(), 10))


def test_a_device_may_appear_at_any_time(tmp_path: Path) -> None:
    async def main() -> None:
        path = tmp_path / "modem"
        task = asyncio.get_running_loop().create_task(Fixed(str(path), "sim800").found())
        await asyncio.sleep(5000)
        assert not task.done()
        path.touch()
        async with asyncio.timeout(2):
            assert await task == Found(str(path), "sim800")

    run(main())


def test_a_far_terminal() -> None:
    async def main() -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(await reader.readexactly(2))
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        assert present(f"tcp://127.0.0.1:{port}")
        async with opened(f"tcp://127.0.0.1:{port}", 0) as (reader, writer):
            writer.write(b"AT")
            assert await reader.read() == b"AT"
        server.close()
        await server.wait_closed()
        with pytest.raises(PhoneLost, match="no connection to"):
            async with opened(f"tcp://127.0.0.1:{port}", 0):
                pass

    run(main())


def test_whoever_has_the_other_end_of_a_terminal_is_no_rival() -> None:
    code = "import os, pty; _, end = pty.openpty(); print(os.ttyname(end), flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        name = other.stdout.readline().strip()

        async def main() -> None:
            async with opened(name, 115_200):
                pass

        assert holders(name) == []
        asyncio.run(main())
        other.communicate("\n")
