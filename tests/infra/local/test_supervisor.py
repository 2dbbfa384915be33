"""Parts start in order, come back when they die, and end when they should."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.local.parts import Part, PartFailed, free_port
from infra.local.process import remove
from infra.local.supervisor import FIRST_DELAY_SECONDS, LONGEST_DELAY_SECONDS, Stage, Supervisor, next_delay
from tests.infra.local.small import Diary, http_part, processes_in, script_part, until


async def test_a_stage_starts_when_the_one_before_is_ready_and_prepared_and_ends_before_it(tmp_path: Path) -> None:
    diary = Diary()

    async def prepare() -> None:
        diary.lines.append(("prepare", "done"))

    first = [http_part(tmp_path, name, free_port()) for name in ("one", "two")]
    supervisor = Supervisor([Stage(first, prepare), Stage([http_part(tmp_path, "last", free_port())])], diary)
    await supervisor.start()
    assert set(diary.lines[:4]) == {(name, state) for name in ("one", "two") for state in ("starting", "ready")}
    assert diary.lines[4:] == [("prepare", "done"), ("last", "starting"), ("last", "ready")]
    diary.lines.clear()
    await supervisor.stop()
    assert diary.lines[:2] == [("last", "stopping"), ("last", "stopped")]
    assert processes_in(tmp_path) == []


class Forgetful(Diary):
    """A watcher that fails at the word that one part is stopping."""

    def changed(self, part: Part, state: str, note: str = "", *, pid: int | None = None, restarts: int = 0) -> None:
        super().changed(part, state, note, pid=pid, restarts=restarts)
        if (part.name, state) == ("last", "stopping"):
            raise OSError(5, "Input/output error")


async def test_whatever_goes_wrong_with_one_part_all_are_stopped(tmp_path: Path) -> None:
    stages = [Stage([http_part(tmp_path, name, free_port())]) for name in ("first", "last")]
    supervisor = Supervisor(stages, Forgetful())
    await supervisor.start()
    with pytest.raises(ExceptionGroup) as failed:
        await supervisor.stop()
    assert [type(one) for one in failed.value.exceptions] == [OSError]
    assert processes_in(tmp_path) == []


async def test_a_part_that_dies_comes_back_alone(tmp_path: Path) -> None:
    diary = Diary()
    supervisor = Supervisor([Stage([http_part(tmp_path, name, free_port()) for name in ("frail", "steady")])], diary)
    await supervisor.start()
    steady = diary.pids["steady"]
    os.kill(diary.pids["frail"], signal.SIGKILL)
    await until(lambda: diary.count("frail", "ready") == 2)
    assert [note for note in diary.notes if "frail ended by signal 9" in note]
    assert (diary.pids["steady"], diary.count("steady", "starting")) == (steady, 1)
    await supervisor.stop()


async def test_what_a_dead_part_left_behind_is_ended_before_it_starts_again(tmp_path: Path) -> None:
    child = "import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(99)']); "
    diary = Diary()
    supervisor = Supervisor([Stage([script_part(tmp_path, "parent", child + "time.sleep(99)")])], diary)
    await supervisor.start()
    await until(lambda: len(processes_in(tmp_path)) == 2)
    os.kill(diary.pids["parent"], signal.SIGKILL)
    await until(lambda: diary.count("parent", "died") == 1)
    assert processes_in(tmp_path) == []
    await supervisor.stop()


async def test_a_part_that_does_not_come_up_says_why_and_stop_ends_the_others(tmp_path: Path) -> None:
    broken = script_part(tmp_path, "broken", "import sys; sys.exit('no disk')", never)
    diary = Diary()
    supervisor = Supervisor([Stage([http_part(tmp_path, "fine", free_port()), broken])], diary)
    with pytest.raises(PartFailed, match="no disk"):
        await supervisor.start()
    await supervisor.stop()
    assert processes_in(tmp_path) == []


async def test_a_program_that_is_not_there_is_named(tmp_path: Path) -> None:
    missing = Part("missing", (str(tmp_path / "nothing"),), tmp_path / "missing", "", never)
    supervisor = Supervisor([Stage([missing])], Diary())
    with pytest.raises(PartFailed, match="nothing"):
        await supervisor.start()
    await supervisor.stop()


async def test_a_part_that_is_not_essential_may_fail(tmp_path: Path) -> None:
    diary = Diary()
    extra = script_part(tmp_path, "extra", "raise SystemExit(3)", never, essential=False)
    supervisor = Supervisor([Stage([extra])], diary)
    await supervisor.start()
    await until(lambda: diary.count("extra", "starting") == 2)
    await supervisor.stop()
    assert diary.count("extra", "failed") >= 1


async def test_half_a_start_can_be_stopped(tmp_path: Path) -> None:
    diary = Diary()
    stages = [Stage([http_part(tmp_path, "fine", free_port())]), Stage([script_part(tmp_path, "slow", SLEEP, never)])]
    supervisor = Supervisor(stages, diary)
    starting = asyncio.create_task(supervisor.start())
    await until(lambda: len(processes_in(tmp_path)) == 2)
    starting.cancel()
    await asyncio.wait({starting})
    await supervisor.stop()
    assert processes_in(tmp_path) == []


async def test_a_part_that_ignores_us_is_killed(tmp_path: Path) -> None:
    deaf = script_part(tmp_path, "deaf", "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);" + SLEEP)
    supervisor = Supervisor([Stage([deaf])], Diary())
    await supervisor.start()
    await supervisor.stop()
    assert processes_in(tmp_path) == []


SUPERVISED = """
import asyncio, sys
from pathlib import Path
from infra.local.mongo import mongo_part
from infra.local.objects import PORTS, objects_part
from infra.local.parts import free_port
from infra.local.postgres import postgres_part
from infra.local.search import search_part
from infra.local.supervisor import Stage, Supervisor
from infra.local.valkey import valkey_parts
from tests.infra.local.small import Diary

async def main(folder):
    parts = [
        postgres_part(folder / "postgres", free_port())[0],
        *valkey_parts(folder / "valkey", [free_port()], [free_port()])[0],
        mongo_part(folder / "mongo", free_port())[0],
        objects_part(folder / "objects", [free_port() for _ in range(PORTS)])[0],
        search_part(folder / "search", free_port())[0],
    ]
    await Supervisor([Stage(parts)], Diary()).start()
    print(*(file for part in parts for file in part.leftovers), flush=True)
    await asyncio.sleep(99)

asyncio.run(main(Path(sys.argv[1])))
"""


async def test_no_server_outlives_a_supervisor_that_was_killed(tmp_path: Path) -> None:
    supervisor = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SUPERVISED, str(tmp_path), stdout=asyncio.subprocess.PIPE
    )
    assert supervisor.stdout is not None
    leftovers = (await supervisor.stdout.readline()).decode().split()
    assert leftovers
    programs = " ".join(processes_in(tmp_path))
    assert all(name in programs for name in ("postgres", "valkey-server", "secantusd", "weed", "osmem-server"))
    supervisor.kill()
    await supervisor.wait()
    await until(lambda: not processes_in(tmp_path))
    remove(Path(file) for file in leftovers)  # the next start would


def test_the_wait_doubles_up_to_its_limit_and_begins_again_after_a_minute_of_health() -> None:
    waits, wait = [], 0.0
    for _ in range(8):
        wait = next_delay(wait, 0.5)
        waits.append(wait)
    assert waits == [1, 2, 4, 8, 16, 30, 30, 30]
    assert next_delay(30, 61) == FIRST_DELAY_SECONDS


@given(last=st.floats(0, 1000), lived=st.floats(0, 1e6))
def test_the_wait_is_never_outside_its_bounds(last: float, lived: float) -> None:
    assert 0 < next_delay(last, lived) <= LONGEST_DELAY_SECONDS


async def never() -> bool:
    return False


SLEEP = "import time; time.sleep(99)"
