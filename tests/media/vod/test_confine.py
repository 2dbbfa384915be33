"""Programs that read a stranger's bytes cannot spin, swell, fill the disk, call out, or leave anything behind."""

import asyncio
import os
import signal
import sys
import textwrap
from pathlib import Path

import pytest

from media.vod.confine import Limits, has_namespaces, run_confined
from media.vod.errors import ChildFailed, ChildStalled

GENEROUS = {"wall_seconds": 20.0, "cpu_seconds": 20, "file_bytes": 1 << 20, "stall_seconds": 20.0}


def limits(**changes: float) -> Limits:
    return Limits(**{**GENEROUS, **changes})  # type: ignore[arg-type]  # whole numbers stay whole


async def python(script: str, folder: Path, bounds: Limits, lines: list[str] | None = None) -> None:
    """Run a small program confined."""
    told = lines if lines is not None else []
    command = (sys.executable, "-u", "-S", "-c", textwrap.dedent(script))
    await run_confined(command, folder=folder, limits=bounds, on_line=told.append)


def of_folder(folder: Path) -> list[str]:
    """Processes that work in a folder."""
    found = []
    for process in Path("/proc").iterdir():
        try:
            if process.name.isdigit() and (process / "cwd").readlink() == folder:
                found.append((process / "cmdline").read_text())
        except OSError:
            continue
    return found


def size_of(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.iterdir())


async def is_empty(folder: Path) -> bool:
    """Whether the kernel has taken away all that ran there; it does so right after the first of them is gone."""
    for _ in range(100):
        if not of_folder(folder):
            return True
        await asyncio.sleep(0.02)
    return False


@pytest.mark.parametrize(
    ("script", "bounds"),
    [
        pytest.param("while True: pass", limits(cpu_seconds=1), id="spins"),
        pytest.param(
            "b = []\nwhile True: b.append(bytearray(50_000_000))", limits(memory_bytes=400 << 20), id="swells"
        ),
        pytest.param("f = open('a', 'wb')\nwhile True: f.write(bytes(65536))", limits(file_bytes=1 << 20), id="writes"),
        pytest.param("a = [open('/dev/null') for _ in range(1000)]", limits(open_files=50), id="opens"),
        pytest.param("print('a' * (5 << 20))", limits(), id="says a line without an end"),
        pytest.param("import os; os.abort()", limits(), id="crashes"),
    ],
)
async def test_a_child_beyond_its_limits_is_ended(script: str, bounds: Limits, tmp_path: Path) -> None:
    with pytest.raises(ChildFailed):
        await python(script, tmp_path, bounds)
    assert await is_empty(tmp_path)
    assert size_of(tmp_path) <= 1 << 20


@pytest.mark.parametrize(
    "bounds",
    [pytest.param(limits(stall_seconds=0.3), id="silent"), pytest.param(limits(wall_seconds=0.3), id="for too long")],
)
async def test_a_child_that_hangs_is_ended(bounds: Limits, tmp_path: Path) -> None:
    with pytest.raises(ChildStalled):
        await python("import time; time.sleep(100)", tmp_path, bounds)
    assert await is_empty(tmp_path)


async def test_a_child_that_talks_for_ever_is_ended_too(tmp_path: Path) -> None:
    with pytest.raises(ChildStalled):
        await python("import time\nwhile True: print(1); time.sleep(0.01)", tmp_path, limits(wall_seconds=0.5))


# `fork`s that leave the session and hold on to every pipe: what a program does that wants to outlive its end.
FORKS = """
import os, sys, time
for _ in range(5):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            time.sleep(100)
        os._exit(0)
print("forked")
{then}
"""


@pytest.mark.parametrize("then", ["sys.exit(0)", "sys.exit(3)", "time.sleep(100)"])
async def test_nothing_that_a_child_started_is_left(then: str, tmp_path: Path) -> None:
    assert has_namespaces(), "without them only its process group is ended"
    lines: list[str] = []
    try:
        await python(FORKS.format(then=then), tmp_path, limits(stall_seconds=1.0), lines)
    except (ChildFailed, ChildStalled):
        assert then != "sys.exit(0)"
    assert lines == ["forked"]
    assert await is_empty(tmp_path)


async def test_a_cancelled_child_is_gone_with_all_it_started(tmp_path: Path) -> None:
    lines: list[str] = []
    running = asyncio.create_task(python(FORKS.format(then="time.sleep(100)"), tmp_path, limits(), lines))
    async with asyncio.timeout(10):
        while not lines:  # noqa: ASYNC110 - another process says it
            await asyncio.sleep(0.01)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert await is_empty(tmp_path)


async def test_a_child_dies_with_us(tmp_path: Path) -> None:
    us = f"""
    import asyncio, sys
    from pathlib import Path
    from media.vod.confine import Limits, run_confined
    child = "import time; print(1); time.sleep(100)"
    bounds = Limits(wall_seconds=100.0, cpu_seconds=9, file_bytes=99)
    folder = Path({str(tmp_path)!r})
    asyncio.run(run_confined((sys.executable, "-u", "-c", child), folder=folder, limits=bounds,
                             on_line=lambda _: print("runs", flush=True)))
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", textwrap.dedent(us), stdout=asyncio.subprocess.PIPE, cwd=Path.cwd()
    )
    assert process.stdout is not None
    assert await process.stdout.readline() == b"runs\n"
    assert of_folder(tmp_path)
    os.kill(process.pid, signal.SIGKILL)
    await process.wait()
    await process.communicate()
    assert await is_empty(tmp_path)


async def test_a_child_reaches_no_network_and_sees_no_process_of_ours(tmp_path: Path) -> None:
    async def called(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_server(called, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        lines: list[str] = []
        script = f"""
        import os, socket
        try:
            socket.create_connection(("127.0.0.1", {port}), 2); print("reached")
        except OSError:
            print("cut off")
        try:
            os.kill({os.getpid()}, 0); print("seen")
        except OSError:
            print("alone")
        """
        await python(script, tmp_path, limits(), lines)
    assert lines == ["cut off", "alone"]


async def test_a_child_has_a_bare_environment_no_input_and_low_priority(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FOOTLIGHT_SECRET", "never")
    lines: list[str] = []
    script = "import os, sys; print(sorted(os.environ), os.getcwd(), repr(sys.stdin.read()), os.nice(0))"
    await python(script, tmp_path, limits(), lines)
    assert "FOOTLIGHT_SECRET" not in lines[0]
    assert str(tmp_path) in lines[0]
    assert lines[0].endswith(f"'' {min(19, os.nice(0) + 10)}")


async def test_only_the_end_of_what_a_child_complains_of_is_kept(tmp_path: Path) -> None:
    script = "import sys; sys.stderr.write('x' * 3_000_000 + 'the reason'); sys.exit(7)"
    with pytest.raises(ChildFailed) as failure:
        await python(script, tmp_path, limits())
    assert failure.value.returncode == 7
    assert failure.value.said.endswith("the reason")
    assert len(failure.value.said) <= 4096


async def test_what_goes_wrong_in_the_listener_ends_the_child(tmp_path: Path) -> None:
    def refuse(_: str) -> None:
        raise LookupError

    command = (sys.executable, "-u", "-c", "import time; print(1); time.sleep(100)")
    with pytest.raises(LookupError):
        await run_confined(command, folder=tmp_path, limits=limits(), on_line=refuse)
    assert await is_empty(tmp_path)


AUTOGROUPS = Path("/proc/self/autogroup")  # where it is, niceness counts inside a session alone


class Seen(Exception):
    """It is as it should be."""


def _group_of(pid: str) -> str:
    return Path(f"/proc/{pid}/autogroup").read_text().strip()


async def test_a_child_stands_back_with_all_of_its_session(tmp_path: Path) -> None:
    """Against servers, which are sessions of their own too."""
    said: list[str] = []

    def look(line: str) -> None:
        said.append(line)
        children = [pid for task in Path("/proc/self/task").glob("*/children") for pid in task.read_text().split()]
        if not AUTOGROUPS.exists() or any(_group_of(pid).endswith("nice 7") for pid in children):
            raise Seen

    script = "import os, time\nfor _ in range(100): print(os.nice(0)); time.sleep(0.1)"
    with pytest.raises(Seen):
        await run_confined(
            (sys.executable, "-u", "-S", "-c", script), folder=tmp_path, limits=limits(niceness=7), on_line=look
        )
    assert int(said[0]) == min(19, os.nice(0) + 7)
