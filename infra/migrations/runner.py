"""Applies `V<n>__<name>.sql` once each, in order, and records them as Flyway does.

Flyway can take over in production: names, table and checksums are its own (checksum: CRC-32 over the lines without
their ends, as a signed 32-bit number; Flyway 9 and later, `ChecksumCalculator`). Each file is one transaction, an
advisory lock keeps two runners apart, and a file that changed after it was applied stops the start.
"""

import itertools
import re
import time
import zlib
from dataclasses import dataclass
from pathlib import Path

from infra.errors import Conflict
from infra.logs import get_logger
from infra.stores.postgres import Connection, Postgres

LOCK = 0x466F6F746C  # "Footl"
NAME = re.compile(r"V(\d+)__(\w+)\.sql")
LINE_END = re.compile(r"\r\n|\r|\n")  # what java.io.BufferedReader calls one; str.splitlines knows nine more
LONGEST_SECONDS = 3600.0  # for one file, or for waiting while another process migrates; queries have a far shorter one
HISTORY = """
CREATE TABLE IF NOT EXISTS flyway_schema_history (
    installed_rank integer PRIMARY KEY,
    version        varchar(50),
    description    varchar(200) NOT NULL,
    type           varchar(20) NOT NULL,
    script         varchar(1000) NOT NULL,
    checksum       integer,
    installed_by   varchar(100) NOT NULL,
    installed_on   timestamp NOT NULL DEFAULT now(),
    execution_time integer NOT NULL,
    success        boolean NOT NULL
);
CREATE INDEX IF NOT EXISTS flyway_schema_history_s_idx ON flyway_schema_history (success);
"""

log = get_logger(__name__)


class MigrationChanged(Conflict):
    code = "migration.changed"
    message = "A migration was edited after it was applied. Restore it and add a new one instead."


@dataclass(frozen=True, slots=True)
class Migration:
    """One file."""

    version: int
    description: str
    script: str
    sql: str

    @property
    def checksum(self) -> int:
        crc = 0
        for line in LINE_END.split(self.sql.removeprefix("\ufeff")):
            crc = zlib.crc32(line.encode(), crc)
        return crc - (1 << 32) if crc >= 1 << 31 else crc


def find_migrations(folder: Path) -> list[Migration]:
    """All of them, by version; any other `.sql` name is an error."""
    found = []
    for path in folder.glob("*.sql"):
        match = NAME.fullmatch(path.name)
        if match is None:
            raise ValueError(f"{path.name} is not named V<number>__<what_it_does>.sql")
        sql = path.read_bytes().decode("utf-8")
        found.append(Migration(int(match[1]), match[2].replace("_", " "), path.name, sql))
    found.sort(key=lambda migration: migration.version)
    for one, other in itertools.pairwise(found):
        if one.version == other.version:
            raise ValueError(f"{one.script} and {other.script} have the same number")
    return found


async def migrate(db: Postgres, folder: Path | None = None) -> list[str]:
    """Bring the schema up to date; returns the scripts that were applied."""
    migrations = find_migrations(folder or Path(__file__).parent)
    async with db.connection() as connection:
        await connection.execute("SELECT pg_advisory_lock($1)", LOCK, timeout=LONGEST_SECONDS)
        try:
            await connection.execute(HISTORY)
            return await _apply_missing(connection, migrations)
        finally:
            await connection.execute("SELECT pg_advisory_unlock($1)", LOCK)


async def _apply_missing(connection: Connection, migrations: list[Migration]) -> list[str]:
    rows = await connection.fetch("SELECT version, checksum FROM flyway_schema_history WHERE success")
    applied = {int(row["version"]): row["checksum"] for row in rows if row["version"]}
    done: list[str] = []
    for migration in migrations:
        if migration.version not in applied:
            await _apply(connection, migration, rank=len(applied) + len(done) + 1)
            done.append(migration.script)
        elif applied[migration.version] != migration.checksum:
            raise MigrationChanged(script=migration.script)
    return done


async def _apply(connection: Connection, migration: Migration, rank: int) -> None:
    started = time.monotonic()
    async with connection.transaction():
        await connection.execute(migration.sql, timeout=LONGEST_SECONDS)
        await connection.execute(
            "INSERT INTO flyway_schema_history (installed_rank, version, description, type, script, checksum, "
            "installed_by, execution_time, success) VALUES ($1, $2, $3, 'SQL', $4, $5, current_user, $6, true)",
            rank, str(migration.version), migration.description, migration.script, migration.checksum,
            int((time.monotonic() - started) * 1000),
        )  # fmt: skip
    log.info("migration.applied", script=migration.script)
