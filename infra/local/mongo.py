"""The embedded MongoDB: a wire-compatible server over WiredTiger, which survives kill -9 with `--sync-on-commit`.

It is a program of its own under its own licence; nothing here imports it.
"""

from pathlib import Path

from pymongo import AsyncMongoClient
from pymongo.errors import PyMongoError

from infra.local.parts import BINARIES, CHECK_SECONDS, LOOPBACK, Check, Part, listens


def mongo_part(folder: Path, port: int) -> tuple[Part, str]:
    """The part and its URL."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    configuration = folder / "secantusd.toml"
    configuration.touch(mode=0o600)  # empty, so that no file in somebody's home is read instead
    command = (
        str(BINARIES / "secantusd-py"), "--config", str(configuration), "--host", LOOPBACK, "--port", str(port),
        "--storage-path", str(folder / "data"), "--sync-on-commit", "--cache-size", "128M", "--log-level", "WARNING",
    )  # fmt: skip
    part = Part(name="mongo", command=command, folder=folder, address=f"{LOOPBACK}:{port}", ready=_answers(port))
    return part, f"mongodb://{LOOPBACK}:{port}"


def _answers(port: int) -> Check:
    accepts = listens(port)

    async def check() -> bool:
        if not await accepts():
            return False
        client: AsyncMongoClient[dict[str, object]] = AsyncMongoClient(
            LOOPBACK,
            port,
            directConnection=True,
            timeoutMS=int(CHECK_SECONDS * 1000),
            serverMonitoringMode="poll",  # see stores/mongo.py
        )
        try:
            await client.admin.command("ping")
        except PyMongoError:
            return False
        finally:
            await client.close()
        return True

    return check
