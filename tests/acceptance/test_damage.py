"""A damaged database and the real daemon: it says which backup is good, and works with that."""

import shutil
from pathlib import Path

from tests.acceptance.world import world


def test_a_damaged_database_names_the_backup_that_puts_it_right(tmp_path: Path) -> None:
    with world(tmp_path, "--modems", "1") as w:
        w.configure(w.modem(0))
        w.start()
        w.available("gsm0")
        later = {"numbers": "+33612345678", "at": "2099-01-01 00:00:00"}
        for _ in range(40):
            w.post("/api/scheduled/", text="x" * 900, **later)
        assert w.stop() == 0
        database = tmp_path / "smsd.db"
        backup = tmp_path / "smsd.db.backup-20260302T120000Z"
        shutil.copy(database, backup)
        (tmp_path / "smsd.db.backup-20260303T120000Z").write_bytes(b"cut off")
        with database.open("r+b") as file:
            for page in range(10, database.stat().st_size // 4096, 2):
                file.seek(page * 4096)
                file.write(b"\xff" * 64)
        refused = w.smsd("run", "--config", str(tmp_path / "smsd.toml"))
        assert refused.returncode == 1
        assert "damaged" in refused.stderr
        assert f"the last good backup is {backup}" in refused.stderr
        shutil.copy(backup, database)
        w.start()
        w.available("gsm0")
        message = w.send("works again")
        w.reaches(message, "delivered")
        assert len(w.get("/api/list/scheduled/")) == 25
