"""One `footlight up` for one data folder."""

import asyncio
import signal
import socket
import sys
from pathlib import Path

import pytest

from infra.local.folder import FolderInUse, locked
from infra.local.parts import kept_secret
from infra.local.up import UpOptions, run_up

HOLD = """
import sys, time
from pathlib import Path
from infra.local.folder import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(99)
"""


async def test_a_second_one_is_told_who_runs_and_what_to_do_until_the_first_is_gone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = await asyncio.create_subprocess_exec(
        sys.executable, "-c", HOLD, str(tmp_path / "data"), stdout=asyncio.subprocess.PIPE
    )
    assert first.stdout is not None
    assert await first.stdout.readline() == b"held\n"
    with pytest.raises(FolderInUse) as caught, locked(tmp_path / "data"):
        pass
    assert f"kill {first.pid}" in caught.value.message
    assert await asyncio.to_thread(run_up, UpOptions(tmp_path / "data")) == 1
    assert f"process {first.pid}" in capsys.readouterr().err
    first.send_signal(signal.SIGKILL)
    await first.wait()
    with locked(tmp_path / "data") as folder:
        assert folder == (tmp_path / "data").resolve()
        assert folder.stat().st_mode & 0o777 == 0o700


def test_a_busy_port_stops_the_start_with_its_number(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert run_up(UpOptions(tmp_path / "data", port=port)) == 1
    assert f"Port {port} (the web address) is taken" in capsys.readouterr().err


def test_a_secret_is_made_once_and_is_for_its_owner_only(tmp_path: Path) -> None:
    secret = kept_secret(tmp_path / "secret")
    assert len(secret) >= 32
    assert kept_secret(tmp_path / "secret") == secret
    assert (tmp_path / "secret").stat().st_mode & 0o777 == 0o600
