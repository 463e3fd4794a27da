"""What it costs to be there: memory at rest, and what the command line imports."""

import subprocess
import sys
from pathlib import Path

from tests.acceptance.world import world

IDLE_MEGABYTES = 50.0


def test_the_daemon_rests_within_its_memory_with_two_modems(tmp_path: Path) -> None:
    with world(tmp_path, "--modems", "2") as w:
        w.configure(w.modem(0), w.modem(1))
        daemon = w.start()
        w.available("gsm0", "gsm1")
        status = Path(f"/proc/{daemon.pid}/status").read_text()
        [line] = [line for line in status.splitlines() if line.startswith("VmRSS:")]
        assert int(line.split()[1]) / 1024 <= IDLE_MEGABYTES


def test_the_command_line_imports_the_standard_library_alone() -> None:
    code = (
        "import sys; before = set(sys.modules); import smsd.cli; smsd.cli.parser(); "
        "print(*{name.partition('.')[0] for name in set(sys.modules) - before})"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    foreign = set(run.stdout.split()) - sys.stdlib_module_names - {"smsd"}
    assert foreign == set()
    assert "asyncio" not in run.stdout.split()
