"""The sandbox's memory: one SQLite file. Every request is one transaction, so a killed process loses nothing it said.

Used by one thread; nothing here waits for anything but the disk.
"""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from payments.sandbox.book import HIDDEN, Thing, references

SCHEMA = """
CREATE TABLE IF NOT EXISTS objects (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, due INTEGER, body TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS objects_kind ON objects (kind, seq);
CREATE INDEX IF NOT EXISTS objects_due ON objects (due) WHERE due IS NOT NULL;
CREATE TABLE IF NOT EXISTS refs (
    kind TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, id TEXT NOT NULL, PRIMARY KEY (kind, name, value, id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS refs_id ON refs (id);
CREATE TABLE IF NOT EXISTS answers (
    key TEXT PRIMARY KEY, asked TEXT NOT NULL, status INTEGER NOT NULL, body TEXT NOT NULL, request TEXT NOT NULL,
    at REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS deliveries (
    event_id TEXT PRIMARY KEY, attempts INTEGER NOT NULL DEFAULT 0, next_at REAL, until REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS deliveries_next ON deliveries (next_at) WHERE next_at IS NOT NULL;
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""
DELIVERED_FOR_SECONDS = 3 * 24 * 3600.0
ANSWERS_KEPT_SECONDS = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered under an idempotency key, and to what (`asked`: a digest)."""

    key: str
    asked: str
    status: int
    body: str
    request: str


@dataclass(frozen=True, slots=True)
class Due:
    """An event to be delivered. `attempts` so far; given up at `until` (Unix seconds)."""

    event_id: str
    attempts: int
    until: float


class Store:
    """All statements. `transaction` is the only way to write."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    @contextmanager
    def transaction(self) -> Iterator["Store"]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield self
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    # --- objects

    def load(self, object_id: str) -> Thing | None:
        row = self._db.execute("SELECT body FROM objects WHERE id = ?", (object_id,)).fetchone()
        return _thing(row) if row else None

    def save(self, thing: Thing) -> None:
        due = thing.get(HIDDEN, {}).get("due")
        self._db.execute(
            "INSERT INTO objects (id, kind, due, body) VALUES (?, ?, ?, ?) "
            "ON CONFLICT (id) DO UPDATE SET due = excluded.due, body = excluded.body",
            (thing["id"], thing["object"], due, json.dumps(thing, separators=(",", ":"))),
        )
        self._db.execute("DELETE FROM refs WHERE id = ?", (thing["id"],))
        self._db.executemany(
            "INSERT INTO refs (kind, name, value, id) VALUES (?, ?, ?, ?)",
            [(thing["object"], name, value, thing["id"]) for name, value in references(thing).items()],
        )

    def find(self, kind: str, **equal: str) -> list[Thing]:
        query, values = "SELECT body FROM objects WHERE kind = ?", [kind]
        for name, value in equal.items():
            query += " AND id IN (SELECT id FROM refs WHERE kind = ? AND name = ? AND value = ?)"
            values += [kind, name, value]
        return [_thing(row) for row in self._db.execute(query + " ORDER BY seq DESC", values)]

    def latest(self, kind: str, count: int) -> list[Thing]:
        rows = self._db.execute("SELECT body FROM objects WHERE kind = ? ORDER BY seq DESC LIMIT ?", (kind, count))
        return [_thing(row) for row in rows]

    def due(self, until: int | None) -> list[Thing]:
        rows = self._db.execute(
            "SELECT body FROM objects WHERE due IS NOT NULL AND (?1 IS NULL OR due <= ?1) ORDER BY due, seq", (until,)
        )
        return [_thing(row) for row in rows]

    # --- idempotency

    def answer(self, key: str) -> Answer | None:
        row = self._db.execute("SELECT key, asked, status, body, request FROM answers WHERE key = ?", (key,)).fetchone()
        return Answer(*row) if row else None

    def keep_answer(self, answer: Answer, at: float) -> None:
        self._db.execute("DELETE FROM answers WHERE at < ?", (at - ANSWERS_KEPT_SECONDS,))
        self._db.execute(
            "INSERT INTO answers (key, asked, status, body, request, at) VALUES (?, ?, ?, ?, ?, ?)",
            (answer.key, answer.asked, answer.status, answer.body, answer.request, at),
        )

    # --- deliveries

    def deliver(self, event_id: str, at: float) -> None:
        """Have an event delivered, or once more."""
        self._db.execute(
            "INSERT INTO deliveries (event_id, next_at, until) VALUES (?1, ?2, ?3) ON CONFLICT (event_id) "
            "DO UPDATE SET next_at = ?2, until = ?3, attempts = 0",
            (event_id, at, at + DELIVERED_FOR_SECONDS),
        )

    def deliveries_due(self, now: float, most: int) -> list[Due]:
        rows = self._db.execute(
            "SELECT event_id, attempts, until FROM deliveries WHERE next_at <= ? ORDER BY next_at, rowid LIMIT ?",
            (now, most),
        )
        return [Due(*row) for row in rows]

    def next_delivery(self) -> float | None:
        found: float | None = self._db.execute("SELECT min(next_at) FROM deliveries").fetchone()[0]
        return found

    def delivered(self, event_id: str) -> None:
        self._db.execute("DELETE FROM deliveries WHERE event_id = ?", (event_id,))

    def deliver_later(self, event_id: str, next_at: float | None) -> None:
        """None: given up, until somebody asks for it."""
        self._db.execute(
            "UPDATE deliveries SET attempts = attempts + 1, next_at = ? WHERE event_id = ?", (next_at, event_id)
        )

    # --- settings

    def setting(self, name: str, default: str) -> str:
        row = self._db.execute("SELECT value FROM settings WHERE name = ?", (name,)).fetchone()
        return str(row[0]) if row else default

    def set(self, name: str, value: str) -> None:
        self._db.execute("INSERT OR REPLACE INTO settings (name, value) VALUES (?, ?)", (name, value))


@contextmanager
def open_store(file: Path) -> Iterator[Store]:
    """The file is made, for its owner only, when it is not there."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    file.touch(mode=0o600)
    with closing(sqlite3.connect(file, isolation_level=None, timeout=5.0)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")  # what was committed survives us, not a power cut
        connection.executescript(SCHEMA)
        yield Store(connection)


def _thing(row: Any) -> Thing:
    found: Thing = json.loads(row[0])
    return found
