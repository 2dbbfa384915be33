"""Films, and what people do with them in a browser."""

import asyncio
import json
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from infra.local.environment import find_ffmpeg
from tests.e2e.conftest import Person

Arrive = Callable[..., Awaitable[Person]]
MADE_MS = 90_000


def film(file: Path, seconds: int, size: str, *more: str) -> Path:
    """A film of noise: it costs something to encode, as real ones do."""
    picture = f"testsrc2=size={size}:rate=30,noise=alls=30"
    command = [
        find_ffmpeg(), "-hide_banner", "-loglevel", "error", "-y", "-f", "lavfi", "-i", picture, "-f", "lavfi", "-i",
        "sine=440", "-t", str(seconds), "-c:v", "libx264", "-preset", "ultrafast", "-g", "60", *more, "-c:a", "aac",
        "-movflags", "+faststart", str(file),
    ]  # fmt: skip
    subprocess.run(command, check=True, timeout=60)
    return file


async def become_creator(person: Person, name: str) -> None:
    await person.sign_up(name)
    await person.go("/studio")
    await person.see("become-creator").click()
    await person.see("start-stream").wait_for()
    await person.go("/studio/videos")
    await person.see("dropzone").wait_for()


async def ask(person: Person, path: str, method: str = "GET", body: Any = None) -> Any:
    """A call of the API with the person's own cookies, again where they asked too often: limits stay on."""
    script = """async ([path, method, body]) => {
        const sent = body === null ? {} : { headers: { "content-type": "application/json" }, body };
        for (;;) {
            const answer = await fetch("/api/v1" + path, { method, ...sent });
            if (answer.status !== 429) return answer.status === 204 ? null : answer.json();
            const seconds = Number(answer.headers.get("retry-after") ?? 1);
            await new Promise((resolve) => setTimeout(resolve, 1000 * seconds));
        }
    }"""
    return await person.page.evaluate(script, [path, method, None if body is None else json.dumps(body)])


async def uploaded(person: Person, file: Path) -> str:
    """The id of the video that comes of it, whatever its state."""
    await person.see("file-input").set_input_files(str(file))
    await person.page.locator('[data-testid="upload"][data-state="done"]').wait_for(timeout=MADE_MS)
    return str((await ask(person, "/videos/mine"))["videos"][0]["id"])


async def made(person: Person, video_id: str) -> None:
    await until_api(person, f"/videos/{video_id}", lambda video: video["status"] == "ready")


async def until_api(person: Person, path: str, wanted: Callable[[Any], bool]) -> Any:
    """What the API says, once it is what is wanted."""
    async with asyncio.timeout(MADE_MS / 1000):
        while not wanted(answer := await ask(person, path)):  # noqa: ASYNC110  # in other processes
            await asyncio.sleep(1.0)
    return answer
