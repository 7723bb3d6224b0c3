"""Commits of one row: what a database does in a second when nobody shares a commit."""

import re
import sqlite3
import subprocess
import tempfile
import time
from pathlib import Path

ROW_BYTES = 200
CLIENTS = 32
_INSERT = "INSERT INTO one_row (content) VALUES (repeat('x', 200));\n"


def sqlite_commits(seconds: float) -> float:
    """Commits a second of SQLite, WAL, synchronous FULL, one connection."""
    with tempfile.TemporaryDirectory(prefix="sscard-bench-") as folder:
        connection = sqlite3.connect(f"{folder}/commits.db", isolation_level=None)
        for pragma in ("journal_mode=WAL", "synchronous=FULL"):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("CREATE TABLE rows (id INTEGER PRIMARY KEY, content BLOB)")
        content, count, start = bytes(ROW_BYTES), 0, time.perf_counter()
        while (elapsed := time.perf_counter() - start) < seconds:
            for _ in range(50):
                connection.execute("INSERT INTO rows (content) VALUES (?)", (content,))
            count += 50
        connection.close()
    return count / elapsed


def postgresql_commits(url: str, seconds: float) -> float:
    """Commits a second at 32 connections, by pgbench."""
    with tempfile.TemporaryDirectory(prefix="sscard-bench-") as folder:
        script = Path(folder) / "one_row.sql"
        script.write_text(_INSERT)
        _psql(url, "CREATE TABLE IF NOT EXISTS one_row (id bigserial PRIMARY KEY, content text)")
        command = ["pgbench", "--no-vacuum", "--file", str(script), "--client", str(CLIENTS)]
        command += ["--jobs", "2", "--time", str(max(1, round(seconds))), "--protocol", "prepared"]
        done = subprocess.run([*command, url], capture_output=True, text=True, check=True)
    found = re.search(r"^tps = ([0-9.]+)", done.stdout, re.MULTILINE)
    if found is None:
        raise RuntimeError(f"pgbench said {done.stdout}")
    return float(found[1])


def _psql(url: str, statement: str) -> None:
    subprocess.run(["psql", "--quiet", "--command", statement, url], check=True)
