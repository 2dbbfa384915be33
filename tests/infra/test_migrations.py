"""The migration runner: names, order, a transaction a file, one runner at a time, a history Flyway would accept."""

import asyncio
import zlib
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.migrations.runner import Migration, MigrationChanged, find_migrations, migrate
from infra.settings import PostgresSettings
from infra.stores.postgres import Postgres, open_postgres


@pytest.fixture
async def empty(postgres_settings: PostgresSettings) -> AsyncIterator[Postgres]:
    """A database of its own, as it is after `CREATE DATABASE`."""
    name = f"m{uuid4().hex}"
    async with open_postgres(postgres_settings) as server, server.connection() as connection:
        await connection.execute(f"CREATE DATABASE {name}")
    url = urlunsplit(urlsplit(postgres_settings.url)._replace(path=f"/{name}"))
    async with open_postgres(replace(postgres_settings, url=url)) as db:
        yield db
    async with open_postgres(postgres_settings) as server, server.connection() as connection:
        await connection.execute(f"DROP DATABASE {name}")


def write(folder: Path, **scripts: str) -> Path:
    for name, sql in scripts.items():
        (folder / f"{name}.sql").write_text(sql)
    return folder


async def fetch(db: Postgres, query: str) -> list[tuple[object, ...]]:
    async with db.connection() as connection:
        return [tuple(row) for row in await connection.fetch(query)]


async def test_files_are_applied_by_number_and_only_once(empty: Postgres, tmp_path: Path) -> None:
    folder = write(
        tmp_path,
        V10__third="INSERT INTO steps VALUES (10)",
        V2__second="INSERT INTO steps VALUES (2)",
        V1__first="CREATE TABLE steps (n int)",
    )
    assert await migrate(empty, folder) == ["V1__first.sql", "V2__second.sql", "V10__third.sql"]
    assert await migrate(empty, folder) == []
    assert await fetch(empty, "SELECT n FROM steps") == [(2,), (10,)]


async def test_the_history_is_what_flyway_writes(empty: Postgres, tmp_path: Path) -> None:
    folder = write(tmp_path, V1__first_step="SELECT 1;\n", V2__second="SELECT 2;\n")
    await migrate(empty, folder)
    rows = await fetch(
        empty,
        "SELECT installed_rank, version, description, type, script, checksum, installed_by, success "
        "FROM flyway_schema_history ORDER BY installed_rank",
    )
    first, second = (migration.checksum for migration in find_migrations(folder))
    assert rows == [
        (1, "1", "first step", "SQL", "V1__first_step.sql", first, "footlight", True),
        (2, "2", "second", "SQL", "V2__second.sql", second, "footlight", True),
    ]
    columns = await fetch(
        empty,
        "SELECT column_name::text, is_nullable::text FROM information_schema.columns "
        "WHERE table_name = 'flyway_schema_history' ORDER BY ordinal_position",
    )
    nullable = {"version", "checksum"}
    names = "installed_rank version description type script checksum installed_by installed_on execution_time success"
    assert columns == [(name, "YES" if name in nullable else "NO") for name in names.split()]


async def test_a_file_that_fails_changes_nothing_and_those_before_it_stay(empty: Postgres, tmp_path: Path) -> None:
    folder = write(tmp_path, V1__good="CREATE TABLE good (n int)", V2__bad="CREATE TABLE bad (n int); SELECT 1 / 0")
    with pytest.raises(asyncpg.DivisionByZeroError):
        await migrate(empty, folder)
    assert await fetch(empty, "SELECT to_regclass('good')::text, to_regclass('bad')::text") == [("good", None)]
    write(tmp_path, V2__bad="CREATE TABLE bad (n int)")
    assert await migrate(empty, folder) == ["V2__bad.sql"]


async def test_a_file_that_was_edited_afterwards_stops_the_start(empty: Postgres, tmp_path: Path) -> None:
    folder = write(tmp_path, V1__first="CREATE TABLE a (n int)")
    await migrate(empty, folder)
    write(tmp_path, V1__first="CREATE TABLE a (n bigint)", V2__second="CREATE TABLE b (n int)")
    with pytest.raises(MigrationChanged) as stopped:
        await migrate(empty, folder)
    assert stopped.value.details == {"script": "V1__first.sql"}
    assert await fetch(empty, "SELECT to_regclass('b')::text") == [(None,)]


async def test_two_runners_at_once_apply_each_file_once(empty: Postgres, tmp_path: Path) -> None:
    folder = write(tmp_path, V1__slow="SELECT pg_sleep(0.3); CREATE TABLE once (n int)")
    done = await asyncio.gather(*(migrate(empty, folder) for _ in range(2)))
    assert sorted(done) == [[], ["V1__slow.sql"]]


@pytest.mark.parametrize("name", ["V1_one_underscore", "v1__lower", "V__none", "V1__with space", "R__repeatable"])
def test_any_other_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="is not named"):
        find_migrations(write(tmp_path, **{name: "SELECT 1"}))


def test_two_files_with_one_number_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="have the same number"):
        find_migrations(write(tmp_path, V1__b="SELECT 1", V01__a="SELECT 2"))


def checksum(text: str) -> int:
    return Migration(1, "x", "V1__x.sql", text).checksum


def test_the_checksum_does_not_see_line_ends_or_the_byte_order_mark() -> None:
    expected = checksum("a\nb\n")
    assert {checksum(text) for text in ("a\nb", "a\r\nb\r\n", "a\rb", "\ufeffa\nb\n")} == {expected}
    assert checksum("a\nc") != expected


@pytest.mark.parametrize("text", ["a\u2028b", "a\x0cb", "a\x85b", "a\x1cb"])
def test_only_the_line_ends_of_java_count_as_such(text: str) -> None:
    assert checksum(text) == signed(zlib.crc32(text.encode()))


@given(st.lists(st.text(st.characters(exclude_characters="\r\n\ufeff", exclude_categories=["Cs"]))))
def test_the_checksum_is_the_crc_of_the_lines_as_a_signed_number(lines: list[str]) -> None:
    assert checksum("\n".join(lines)) == signed(zlib.crc32("".join(lines).encode()))


def signed(crc: int) -> int:
    return int.from_bytes(crc.to_bytes(4, "big"), "big", signed=True)


def test_our_own_migrations_are_well_named() -> None:
    assert find_migrations(Path(find_migrations.__code__.co_filename).parent)[0].version == 1
