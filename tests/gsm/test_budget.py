"""What the package costs whoever imports it: nothing but a little of the standard library."""

import json
import subprocess
import sys
from pathlib import Path

# Runs in a fresh interpreter: KiB that the import takes, and what it brings.
PROBE = """
import json, sys
import smsd
def used():
    status = open("/proc/self/status").read()
    return int(status.split("VmRSS:")[1].split()[0])
before, at = set(sys.modules), used()
import smsd.gsm
print(json.dumps([used() - at, sorted(set(sys.modules) - before)]))
"""
ROOT = Path(__file__).parents[2]


def probe(cache: Path) -> tuple[int, list[str]]:
    done = subprocess.run(
        [sys.executable, "-X", f"pycache_prefix={cache}", "-c", PROBE],
        cwd=ROOT,
        env={},
        capture_output=True,
        text=True,
        check=True,
    )
    kib, modules = json.loads(done.stdout)
    return kib, modules


def test_importing_takes_3_mb_at_most(tmp_path: Path) -> None:
    """How long it takes is a figure of bench/codec.py."""
    probe(tmp_path)  # writes the byte code
    assert min(kib for kib, _ in (probe(tmp_path) for _ in range(3))) <= 3 * 1024


def test_only_the_standard_library_comes_with_it(tmp_path: Path) -> None:
    _, modules = probe(tmp_path)
    tops = {name.partition(".")[0] for name in modules} - {"smsd"}
    assert tops <= set(sys.stdlib_module_names)
    assert not tops & {"asyncio", "socket", "threading", "logging", "dataclasses", "typing", "re"}
    assert {name for name in modules if name.startswith("smsd.")} <= {
        f"smsd.gsm.{path.stem}" for path in (ROOT / "smsd" / "gsm").glob("*.py")
    } | {"smsd.gsm"}
