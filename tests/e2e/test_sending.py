"""Uploads in a real browser: dropped, paused, and sent over a network that comes and goes."""

import asyncio
import re
from pathlib import Path

import pytest
from playwright.async_api import Route, expect

from tests.e2e.conftest import Person
from tests.e2e.videos import MADE_MS, Arrive, ask, become_creator, film, made

pytestmark = pytest.mark.timeout(240)

# Files come from the page's own server as a drop would bring them; Playwright cannot drag from outside the window.
DROP = """async (names) => {
    const carried = new DataTransfer();
    for (const name of names) {
        const film = await (await fetch("/a-film/" + name)).blob();
        carried.items.add(new File([film], name, { type: "video/mp4" }));
    }
    const about = { dataTransfer: carried, bubbles: true, cancelable: true };
    for (const kind of ["dragenter", "dragover", "drop"]) document.body.dispatchEvent(new DragEvent(kind, about));
}"""
PART_BYTES = 8 << 20


class Gate:
    """Lets the parts of a file through to storage that it is told to; counts what arrived there."""

    def __init__(self) -> None:
        self.arrived: list[int] = []
        self._open = asyncio.Event()

    async def __call__(self, route: Route) -> None:
        found = re.search(r"partNumber=(\d+)", route.request.url)
        if found is None or route.request.method != "PUT":
            await route.continue_()
            return
        if found[1] != "1":
            await self._open.wait()
        await route.continue_()

    def open(self) -> None:
        self._open.set()


async def drop(person: Person, *files: Path) -> None:
    async def bring(route: Route) -> None:
        await route.fulfill(path=next(file for file in files if route.request.url.endswith(file.name)))

    await person.page.route("**/a-film/*", bring)
    await person.page.evaluate(DROP, [file.name for file in files])


@pytest.fixture(scope="session")
def dropped(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("dropped")
    large = film(folder / "large.mp4", 6, "854x480", "-b:v", "30M", "-minrate", "30M", "-bufsize", "30M")
    return large, film(folder / "little.mp4", 3, "320x180")


async def test_dropped_files_are_paused_and_survive_a_lost_network(arrive: Arrive, dropped: tuple[Path, Path]) -> None:
    creator, gate = await arrive(), Gate()
    await become_creator(creator, "Radia")
    finished: list[str] = []
    creator.page.on(
        "requestfinished", lambda request: finished.append(request.url) if "partNumber=" in request.url else None
    )
    await creator.page.route("**/uploads/**", gate)
    await drop(creator, *dropped)
    rows = creator.see("upload")
    await expect(rows).to_have_count(2)
    large = rows.filter(has_text="large.mp4")
    await expect(rows.filter(has_text="little.mp4")).to_have_attribute("data-state", "done", timeout=MADE_MS)

    # The first part is there: the figure says so, and stays while it is paused.
    size = dropped[0].stat().st_size
    percent, parts = 100 * PART_BYTES // size, -(-size // PART_BYTES)
    await expect(large.get_by_role("progressbar")).to_have_attribute("value", str(percent), timeout=MADE_MS)
    await large.get_by_test_id("pause-upload").click()
    await expect(large).to_contain_text(f"Paused at {percent} %")
    await large.get_by_test_id("resume-upload").click()
    await expect(large).to_have_attribute("data-state", "sending")

    # The network goes while the rest is on its way, and comes back.
    await creator.context.set_offline(True)
    gate.open()
    await expect(large).to_have_attribute("data-state", "offline", timeout=MADE_MS)
    await expect(large).to_contain_text("You are offline")
    await creator.context.set_offline(False)
    await expect(large).to_have_attribute("data-state", "done", timeout=MADE_MS)

    video = next(each for each in (await ask(creator, "/videos/mine"))["videos"] if each["title"] == "large")
    sent = sorted(re.findall(r"partNumber=(\d+)", " ".join(url for url in finished if video["id"] in url)))
    assert sent == [str(number + 1) for number in range(parts)]
    await made(creator, video["id"])


async def test_what_is_no_video_is_refused_with_the_reason_and_leaves_nothing(arrive: Arrive) -> None:
    creator = await arrive(390, 844)
    await become_creator(creator, "Barbara")
    text = {"name": "film.mp4", "mimeType": "video/mp4", "buffer": b"no film at all, " * 4000}
    await creator.see("file-input").set_input_files(text)
    row = creator.see("upload")
    await expect(row).to_have_attribute("data-state", "failed", timeout=MADE_MS)
    await expect(row.get_by_role("alert")).to_contain_text("not a video")
    await row.get_by_test_id("remove-upload").click()
    if await creator.see("confirm").count():
        await creator.see("confirm").click()
    await expect(row).to_have_count(0)
    assert (await ask(creator, "/uploads"))["uploads"] == []
