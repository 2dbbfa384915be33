"""What the servers keep: data over restarts, over kill -9 and over a change of ports; and who may run them."""

import asyncio
import os
import shutil
import sys
import tempfile
from pathlib import Path

import pytest

from infra.local.objects import PORTS, objects_part
from infra.local.parts import free_port
from infra.local.postgres import postgres_part
from infra.local.valkey import form_cluster, valkey_parts
from infra.settings import PostgresSettings, RedisSettings
from infra.stores.objects import open_objects
from infra.stores.postgres import open_postgres
from infra.stores.redis import open_redis, ping_redis
from tests.conftest import running

NOBODY = 65534


async def test_the_cluster_keeps_its_data_when_all_its_ports_move(tmp_path: Path) -> None:
    for start in range(2):
        ports, bus_ports = [free_port() for _ in range(3)], [free_port() for _ in range(3)]
        parts, urls = valkey_parts(tmp_path, ports, bus_ports)
        async with running(*parts):
            await form_cluster(urls, bus_ports)
            await form_cluster(urls, bus_ports)  # forming it again changes nothing
            async with open_redis(RedisSettings(nodes=(urls[0],))) as client:
                await ping_redis(client)
                if start == 0:
                    for number in range(20):
                        await client.set(f"key-{number}", number)
                assert [await client.get(f"key-{number}") for number in range(20)] == [b"%d" % n for n in range(20)]


async def test_postgres_keeps_its_data_over_a_restart_and_a_stale_pid_file(tmp_path: Path) -> None:
    for start in range(2):
        part, url = postgres_part(tmp_path, free_port())
        if start == 1:  # what kill -9 leaves, when its number belongs to somebody else by now
            (tmp_path / "data" / "postmaster.pid").write_text(f"{os.getpid()}\n{tmp_path}/data\n1\n1\n\n\n")
        async with running(part), open_postgres(PostgresSettings(url=url)) as db, db.connection() as connection:
            if start == 0:
                await connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
            assert await connection.fetchval("SELECT answer FROM kept") == 42


async def test_an_interrupted_first_start_of_postgres_begins_again(tmp_path: Path) -> None:
    (tmp_path / "data.new").mkdir()
    (tmp_path / "data.new" / "PG_VERSION").write_text("18")
    part, url = postgres_part(tmp_path, free_port())
    async with running(part), open_postgres(PostgresSettings(url=url)) as db:
        await db.ping()


async def test_storage_keeps_its_files_and_its_key_over_a_restart(tmp_path: Path) -> None:
    ports = [free_port() for _ in range(PORTS)]
    for start in range(2):
        part, settings = objects_part(tmp_path, ports)
        async with running(part), open_objects(settings) as objects:
            if start == 0:
                await objects.call("put_object", Key="kept", Body=b"here")
            assert await objects.read("kept") == b"here"
        assert not any(socket.exists() for socket in part.leftovers)


AS_NOBODY = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", sys.executable, "-c")
START_ONCE = """
import asyncio, sys
from tests.infra.local.test_servers import start_once
asyncio.run(start_once(sys.argv[1]))
"""


async def start_once(home: str) -> None:
    """Run by the test below in a process of another user."""
    part, url = postgres_part(Path(home), free_port())
    async with running(part), open_postgres(PostgresSettings(url=url)) as db:
        await db.ping()


@pytest.mark.skipif(os.geteuid() != 0, reason="the other tests ran as an ordinary user already")
async def test_postgres_runs_for_an_ordinary_user() -> None:
    if await _as_nobody("import asyncpg, infra.local.postgres, tests.conftest"):
        pytest.skip("this Python is in a folder that only root may read")
    home = Path(tempfile.mkdtemp(prefix="footlight-nobody-"))  # nobody cannot enter root's tmp_path
    shutil.chown(home, NOBODY, NOBODY)
    try:
        assert await _as_nobody(START_ONCE, str(home)) == 0
    finally:
        shutil.rmtree(home)


async def _as_nobody(code: str, *arguments: str) -> int:
    child = await asyncio.create_subprocess_exec(*AS_NOBODY, code, *arguments)
    return await child.wait()
