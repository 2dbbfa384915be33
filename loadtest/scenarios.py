"""`make load SCENARIO=smoke`: starts a platform, lets Locust's users in, prints what they met, judges it.

The scenarios are in `mixes.py`, the users in `users/`. Locust runs in `build/load-venv`, because gevent must not come
into the platform's own environment. Exit status 1 when a bound of the scenario is broken. The report stays in
`build/load/<scenario>-<time>/`: Locust's HTML and CSV, `result.json`, `report.md`.
"""

import argparse
import asyncio
import contextlib
import json
import os
import signal
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import msgspec

from infra.children import ends_with_us
from infra.local.environment import ROOT, find_ffmpeg
from infra.local.parts import LOOPBACK, write_private
from loadtest.mixes import SCENARIOS, Scenario
from loadtest.people import PASSWORD, Person, become_creator, checked, sign_up, start_stream
from loadtest.stack import Stack, platform
from loadtest.users.figures import Result
from loadtest.users.stage import Caller, Plan
from loadtest.verdict import broken, report
from loadtest.watch import Watch

LOCUST = ROOT / "build" / "load-venv" / "bin" / "locust"
SIGN_UPS_AT_ONCE = 4
STOP_SECONDS = 30.0
FIRST_NUMBERS = {"creators": 1, "moderators": 20, "chatters": 1000, "api": 5000}  # of accounts, by kind


def main() -> None:
    parser = argparse.ArgumentParser(description="Run a load scenario on a platform of its own.")
    parser.add_argument("scenario", choices=SCENARIOS)
    parser.add_argument("--viewers", type=int, help="instead of the scenario's own number")
    parser.add_argument("--seconds", type=float, help="of talk, instead of the scenario's own")
    arguments = parser.parse_args()
    changes = {name: value for name in ("viewers", "seconds") if (value := getattr(arguments, name)) is not None}
    if not LOCUST.exists():
        sys.exit("Locust is not installed; `make load` does it.")
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))  # as Ctrl-C: nothing is left running
    with contextlib.suppress(KeyboardInterrupt):
        sys.exit(asyncio.run(run(arguments.scenario, replace(SCENARIOS[arguments.scenario], **changes))))
    sys.exit(130)


async def run(name: str, scenario: Scenario) -> int:
    folder = ROOT / "build" / "load" / f"{name}-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    folder.mkdir(parents=True)
    print(
        f"Starting a platform for {scenario.users} users; the report goes to {folder.relative_to(ROOT)} ...", flush=True
    )
    async with platform() as stack:
        with tempfile.TemporaryDirectory(prefix="footlight-load-") as private:
            plan = await prepare(name, scenario, stack, folder, Path(private))
            async with Watch(stack, plan) as watch:
                status = await locust(plan, Path(private) / "plan.json", folder)
            result = read_result(plan)
            if result is None:
                print(f"Locust ended with {status} and no result; see {folder / 'locust.log'}")
                return 1
        text = report(name, result, watch.machine(result.talk_began, result.talk_ended))
    problems = broken(scenario, result)
    verdict = "\n".join(["Broken:", *(f"- {problem}" for problem in problems)]) if problems else "Every bound was kept."
    (folder / "report.md").write_text(f"{text}\n{verdict}\n")
    print(f"\n{text}\n{verdict}")
    return 1 if problems else 0


def read_result(plan: Plan) -> Result | None:
    """None when Locust did not come so far."""
    file = Path(plan.result)
    return msgspec.json.decode(file.read_bytes(), type=Result) if file.exists() else None


async def prepare(name: str, scenario: Scenario, stack: Stack, folder: Path, private: Path) -> Plan:
    """Accounts for everybody who needs one, and the plan in a file that only we can read."""
    wanted = {
        "creators": scenario.creators,
        "moderators": scenario.moderators,
        "chatters": scenario.chatters,
        "api": scenario.api,
    }
    async with aiohttp.ClientSession(stack.web) as web:
        people = {kind: await sign_up_all(web, FIRST_NUMBERS[kind], amount) for kind, amount in wanted.items()}
        people["creators"] = [await open_stream(web, caller) for caller in people["creators"]]
        if scenario.commands:
            await appoint(web, people["creators"][0], people["moderators"])
    ports = json.loads((stack.folder / "ports.json").read_text())
    nodes = [(LOOPBACK, port) for part, port in sorted(ports.items()) if part.startswith("node-")]
    plan = Plan(
        name=name, scenario=scenario, nodes=nodes, web=stack.web, ffmpeg=find_ffmpeg(), password=PASSWORD,
        people=people, result=str(folder / "result.json"), talk_began=str(private / "talk-began"),
    )  # fmt: skip
    write_private(private / "plan.json", msgspec.json.encode(plan).decode())
    return plan


async def sign_up_all(web: aiohttp.ClientSession, first: int, amount: int) -> list[Caller]:
    gate = asyncio.Semaphore(SIGN_UPS_AT_ONCE)

    async def one(number: int) -> Caller:
        async with gate:
            person = await sign_up(web, number)
        email = f"person{number}@example.com"
        return Caller(number=number, address=person.address, user_id=person.id, token=person.token, email=email)

    return await asyncio.gather(*(one(number) for number in range(first, first + amount)))


async def open_stream(web: aiohttp.ClientSession, caller: Caller) -> Caller:
    """The same person as a creator, with a stream that waits for its encoder."""
    creator = await become_creator(web, Person(caller.user_id, caller.token, caller.address))
    stream = await start_stream(web, creator)
    ingest = f"{stream['ingest']['url']}/{stream['ingest']['key']}"
    return msgspec.structs.replace(caller, token=creator.token, stream_id=stream["id"], ingest=ingest)


async def appoint(web: aiohttp.ClientSession, creator: Caller, moderators: Sequence[Caller]) -> None:
    """Make these the moderators of the first creator's channel."""
    for caller in moderators:
        body = {"type": "moderator", "user_id": caller.user_id, "on": True}
        path = f"/api/v1/channels/{creator.user_id}/actions"
        async with web.post(path, json=body, headers=creator.headers) as answer:
            await checked(answer)


async def locust(plan: Plan, plan_file: Path, folder: Path) -> int:
    """Run it until it ends by itself, or we are stopped."""
    scenario = plan.scenario
    command: Sequence[str] = (
        str(LOCUST), "-f", str(ROOT / "loadtest" / "users" / "locustfile.py"), "--headless", "--host", plan.web,
        "--users", str(scenario.users), "--spawn-rate", str(scenario.arrivals_per_second), "--only-summary",
        "--html", str(folder / "locust.html"), "--csv", str(folder / "locust"), "--exit-code-on-error", "0",
        "--logfile", str(folder / "locust.log"), "--loglevel", "INFO",
    )  # fmt: skip
    environment = {**os.environ, "LOADTEST_PLAN": str(plan_file), "PYTHONPATH": str(ROOT)}
    with (folder / "locust.txt").open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *ends_with_us(tuple(command)), env=environment, stdout=output, stderr=output, start_new_session=True
        )
        try:
            return await process.wait()
        finally:
            await stop(process)


async def stop(process: asyncio.subprocess.Process) -> None:
    """Ask, then make it end; and all that is in its session."""
    if process.returncode is None:
        process.terminate()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), STOP_SECONDS)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()


if __name__ == "__main__":
    main()
