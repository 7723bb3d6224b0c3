"""What a database takes of the same rows when nothing is done but storing them."""

import json
import sqlite3
import time
from pathlib import Path

import psycopg

TABLES = ("holders", "cards", "ecards", "makings", "making_chunks")


def postgresql_copy(url: str, batch_id: str) -> float:
    """Cards a second: COPY of all rows of a batch's cards and their records into tables with the
    same columns and indexes, one commit."""
    with psycopg.connect(url) as connection:
        rows = {}
        for table in TABLES:
            with connection.cursor().copy(
                f"COPY ({_of_batch(table)}) TO STDOUT", (batch_id,)
            ) as out:
                rows[table] = b"".join(out)
            connection.execute(f"CREATE TABLE copy_{table} (LIKE {table} INCLUDING ALL)")
        connection.commit()
        count = rows["cards"].count(b"\n")
        began = time.perf_counter()
        for table, text in rows.items():
            with connection.cursor().copy(f"COPY copy_{table} FROM STDIN") as into:
                into.write(text)
        connection.commit()
        seconds = time.perf_counter() - began
        for table in TABLES:
            connection.execute(f"DROP TABLE copy_{table}")
    return count / seconds


def sqlite_inserts(path: Path, batch_id: str) -> float:
    """Cards a second: inserts of the same rows into a file of its own with the same tables and
    indexes, one commit."""
    copy = path.with_name("copy.db")
    with sqlite3.connect(path) as source:
        rows = {
            table: source.execute(_of_batch(table).replace("%s", "?"), (batch_id,)).fetchall()
            for table in TABLES
        }
        schema = [
            text
            for (text,) in source.execute(
                "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL "
                "AND tbl_name IN (SELECT value FROM json_each(?))",
                (json.dumps(TABLES),),
            )
        ]
    connection = sqlite3.connect(copy)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    for statement in sorted(schema, key=lambda text: not text.startswith("CREATE TABLE")):
        connection.execute(statement)
    began = time.perf_counter()
    for table, found in rows.items():
        places = ", ".join("?" * len(found[0]))
        connection.executemany(f"INSERT INTO {table} VALUES ({places})", found)  # noqa: S608 - a constant
    connection.commit()
    seconds = time.perf_counter() - began
    connection.close()
    copy.unlink()
    return len(rows["cards"]) / seconds


def _of_batch(table: str) -> str:
    if table == "holders":
        return "SELECT * FROM holders WHERE id IN (SELECT holder_id FROM cards WHERE batch_id = %s)"
    if table == "making_chunks":
        return (
            "SELECT * FROM making_chunks WHERE order_id IN "
            "(SELECT id FROM making_orders WHERE batch_id = %s)"
        )
    if table == "ecards":
        return "SELECT * FROM ecards WHERE card_id IN (SELECT id FROM cards WHERE batch_id = %s)"
    return f"SELECT * FROM {table} WHERE batch_id = %s"  # noqa: S608 - one of TABLES
