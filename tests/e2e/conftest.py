"""The whole platform as `footlight up` runs it, and a real browser in front of it."""

import json
import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

from loadtest.glass import CHROMIUM, FLAGS
from loadtest.stack import Stack, platform

# Other tests run beside these; how quick it is is not the question here.
expect.set_options(timeout=20_000)

BUILT = Path(__file__).parents[2] / "http" / "web" / "dist" / "index.html"


@pytest.fixture(scope="session")
async def stack() -> AsyncIterator[Stack]:
    """Two nodes, worker, live, edge and every server, on free ports."""
    async with platform() as stack:
        yield stack


@pytest.fixture
async def web(stack: Stack) -> AsyncIterator[aiohttp.ClientSession]:
    """The API, by the address people use."""
    async with aiohttp.ClientSession(stack.web) as session:
        yield session


@pytest.fixture(scope="session")
def node_urls(stack: Stack) -> list[str]:
    """The nodes by ports of their own, so that a test can say which one it means."""
    ports = json.loads((stack.folder / "ports.json").read_text())
    return [f"ws://127.0.0.1:{ports[name]}" for name in ("node-1", "node-2")]


@pytest.fixture(scope="session")
def installed() -> None:
    """Skips where there is no browser or nothing to show in it."""
    if not Path(CHROMIUM).exists():
        pytest.skip(f"Chromium is not installed at {CHROMIUM}")
    if not BUILT.exists():
        pytest.skip("the web client is not built (`make web`)")


@pytest.fixture(scope="session")
async def browser(installed: None) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        await browser.close()


class Person:
    """Somebody at a browser; what their console complained about fails the test."""

    def __init__(self, context: BrowserContext, page: Page, home: str) -> None:
        self.context = context
        self.page = page
        self.home = home
        self.email = ""
        self.complaints: list[str] = []
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda message: self._heard(message.type, message.text))

    def _heard(self, kind: str, text: str) -> None:
        # Chromium reports every 4xx as an error of its own; what we refuse on purpose is asserted where it happens.
        if kind == "error" and "Failed to load resource" not in text:
            self.complaints.append(text)

    async def go(self, path: str) -> None:
        await self.page.goto(self.home + path)

    def see(self, test_id: str):  # type: ignore[no-untyped-def]  # a Locator
        return self.page.get_by_test_id(test_id)

    async def sign_up(self, name: str) -> None:
        await self.go("/signup")
        await self.page.get_by_label("Name").fill(name)
        # Tests share one platform, and two of them may well meet a Barbara.
        self.email = f"{name.lower()}-{secrets.token_hex(4)}@example.com"
        await self._enter(self.email)

    async def sign_in(self, other: "Person") -> None:
        """As somebody who signed up elsewhere."""
        await self.go("/signin")
        await self._enter(other.email)

    async def _enter(self, email: str) -> None:
        await self.page.get_by_label("E-mail").fill(email)
        await self.page.get_by_label("Password", exact=True).fill("a long enough pass phrase")
        await self.see("submit").click()
        await self.see("user-menu").wait_for()

    async def say(self, text: str) -> None:
        await self.see("chat-input").fill(text)
        await self.see("chat-input").press("Enter")


@pytest.fixture
async def arrive(browser: Browser, stack: Stack) -> AsyncIterator:  # type: ignore[type-arg]  # a factory of Person
    """Each call is another person with a browser profile of their own."""
    people: list[Person] = []

    async def person(width: int = 1280, height: int = 800) -> Person:
        context = await browser.new_context(viewport={"width": width, "height": height})
        arrived = Person(context, await context.new_page(), stack.web)
        people.append(arrived)
        return arrived

    yield person
    for somebody in people:
        await somebody.context.close()
    assert [complaint for somebody in people for complaint in somebody.complaints] == []
