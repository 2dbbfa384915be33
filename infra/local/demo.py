"""The demo: a living room for a newcomer. Makes its accounts once, streams by RTMP, and talks in the room.

It uses only what everybody may use: the HTTP API, RTMP and Socket.IO. When a node, the live process or itself was
restarted, it takes up the stream it left open. Ends on SIGTERM; its encoder ends with it.
"""

import argparse
import asyncio
import contextlib
import random
import signal
from collections.abc import Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
import socketio

from infra.children import ends_with_us
from infra.errors import FootlightError
from infra.local.demo_accounts import DemoAccount, demo_accounts
from infra.local.demo_script import CATEGORY, TITLE, conversation, encoder_command
from infra.logs import configure_logs, get_logger

RETRY_SECONDS = 5.0  # after anything that failed; 12 requests a minute at most
PAUSE_SECONDS = (4.0, 25.0)  # between two lines of the whole room
CALL_SECONDS = 10.0
log = get_logger(__name__)


class Refused(FootlightError):
    """The platform said no; `code` is its own."""

    def __init__(self, answer: dict[str, Any]) -> None:
        error = answer.get("error", {})
        super().__init__(error.get("message"))
        self.code = error.get("code", "internal")
        self.details = error.get("details", {})


TROUBLE = (Refused, aiohttp.ClientError, socketio.exceptions.SocketIOError, OSError, TimeoutError)


@dataclass(slots=True)
class Person:
    """One account at the HTTP API."""

    account: DemoAccount
    http: aiohttp.ClientSession
    token: str = ""

    async def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Call the API, signing in when that is needed."""
        try:
            return await self._send(method, path, body)
        except Refused as refused:
            if not refused.code.startswith("auth."):
                raise
        await self.sign_in()
        return await self._send(method, path, body)

    async def sign_in(self) -> None:
        """Sign in, or up when the account is not there yet (a new data folder)."""
        self.token = ""
        person = {"email": self.account.email, "password": self.account.password}
        try:
            session = await self._send("POST", "/auth/login", person)
        except Refused as refused:
            if refused.code != "auth.wrong_credentials":
                raise
            session = await self._send("POST", "/auth/signup", {**person, "display_name": self.account.display_name})
        self.token = session["access_token"]

    async def _send(self, method: str, path: str, body: dict[str, Any] | None) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        async with self.http.request(method, f"/api/v1{path}", json=body, headers=headers) as answer:
            said: dict[str, Any] = await answer.json() if answer.status != 204 else {}
            if answer.status >= 400:
                raise Refused(said)
            return said


class Stage:
    """The creator: keeps one stream open and an encoder publishing to it."""

    def __init__(self, creator: Person, ffmpeg: str) -> None:
        self._creator = creator
        self._ffmpeg = ffmpeg
        self.stream_id: str | None = None

    async def perform(self) -> None:
        """Publish once, until the encoder ends or we are cancelled."""
        target = await self._open()
        encoder = await asyncio.create_subprocess_exec(*ends_with_us(tuple(encoder_command(self._ffmpeg, target))))
        try:
            log.info("demo.encoder_ended", status=await encoder.wait())
        finally:
            if encoder.returncode is None:
                encoder.kill()
                await encoder.wait()

    async def _open(self) -> str:
        """The RTMP address, key included, of our open stream or of a new one."""
        await self._become_creator()
        stream = (await self._creator.call("GET", "/streams/mine"))["stream"]
        if stream is None:
            order = {"title": TITLE, "category": CATEGORY, "latency": "low"}
            stream = await self._creator.call("POST", "/streams/start", order)
            ingest = stream["ingest"]
        else:
            ingest = (await self._creator.call("POST", f"/streams/{stream['id']}/key"))["ingest"]
        self.stream_id = stream["id"]
        return f"{ingest['url']}/{ingest['key']}"

    async def _become_creator(self) -> None:
        user = await self._creator.call("GET", "/auth/me")
        if user["role"] in {"creator", "admin"}:
            return
        session = await self._creator.call("POST", "/auth/creator")
        self._creator.token = session["access_token"]


class Chatter:
    """One account in the room."""

    def __init__(self, person: Person, web: str) -> None:
        self._person = person
        self._web = web
        self._socket = socketio.AsyncClient(reconnection=False)
        self._joined = ""

    async def speak(self, stream_id: str, text: str) -> None:
        """Say one line, connecting and joining first when that is needed."""
        await self.enter(stream_id)
        await self._ask("chat:send", {"stream_id": stream_id, "id": uuid4().hex, "text": text})

    async def close(self) -> None:
        await self._socket.disconnect()

    async def enter(self, stream_id: str) -> None:
        """Be in the room, if not there already."""
        if self._socket.connected and self._joined == stream_id:
            return
        if not self._socket.connected:
            await self._person.sign_in()  # a fresh token; this happens once for each connection
            await self._socket.connect(
                self._web, auth={"token": self._person.token}, transports=["websocket"], wait_timeout=CALL_SECONDS
            )
        await self._ask("room:join", {"stream_id": stream_id})
        self._joined = stream_id

    async def _ask(self, event: str, body: dict[str, Any]) -> None:
        answer = await self._socket.call(event, body, timeout=CALL_SECONDS)
        if not answer["ok"]:
            raise Refused(answer)


async def talk(stage: Stage, chatters: list[Chatter]) -> None:
    """A room of few people: one line now and then, by any of them."""
    dice = random.Random()  # noqa: S311  # small talk is no secret
    try:
        for text in conversation(dice):
            await asyncio.sleep(dice.uniform(*PAUSE_SECONDS))
            if stage.stream_id is None:
                continue
            try:
                for chatter in chatters:  # also those who only watch, and again after a restart
                    await chatter.enter(stage.stream_id)
                await dice.choice(chatters).speak(stage.stream_id, text)
            except TROUBLE as trouble:
                log.info("demo.chatter_waits", why=str(trouble), kind=type(trouble).__name__)
                await asyncio.sleep(RETRY_SECONDS)
    finally:
        for chatter in chatters:
            await chatter.close()


async def perform_for_ever(stage: Stage) -> None:
    while True:
        try:
            await stage.perform()
        except TROUBLE as trouble:
            log.info("demo.stage_waits", why=str(trouble), kind=type(trouble).__name__)
        await asyncio.sleep(RETRY_SECONDS)


async def run(web: str, accounts: list[DemoAccount], ffmpeg: str) -> None:
    """Play until cancelled."""
    async with contextlib.AsyncExitStack() as stack:
        people = []
        for account in accounts:  # a cookie jar for each: they are different people
            timeout = aiohttp.ClientTimeout(total=CALL_SECONDS)
            http = aiohttp.ClientSession(web, timeout=timeout, cookie_jar=aiohttp.DummyCookieJar())
            people.append(Person(account, await stack.enter_async_context(http)))
        stage = Stage(next(person for person in people if person.account.part == "creator"), ffmpeg)
        await _make(people)
        chatters = [Chatter(person, web) for person in people if person.account.part == "chatter"]
        await asyncio.gather(perform_for_ever(stage), talk(stage, chatters))


async def _make(people: list[Person]) -> None:
    """Sign everybody in once, so that the accounts on the board exist; as often as it takes."""
    for person in people:
        while True:
            try:
                await person.sign_in()
                break
            except TROUBLE as trouble:
                log.info("demo.sign_in_waits", why=str(trouble), kind=type(trouble).__name__)
                await asyncio.sleep(RETRY_SECONDS)


async def until_told(work: Coroutine[Any, Any, None]) -> None:
    """Run until SIGTERM or SIGINT."""
    task = asyncio.ensure_future(work)
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await task


def main() -> None:
    """`python -m infra.local.demo --web URL --accounts FILE --ffmpeg PROGRAM`."""
    parser = argparse.ArgumentParser(prog="infra.local.demo")
    parser.add_argument("--web", required=True)
    parser.add_argument("--accounts", required=True, type=Path)
    parser.add_argument("--ffmpeg", required=True)
    arguments = parser.parse_args()
    configure_logs("INFO", "json", "demo")
    asyncio.run(until_told(run(arguments.web, demo_accounts(arguments.accounts), arguments.ffmpeg)))


if __name__ == "__main__":
    main()
