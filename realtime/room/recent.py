"""One question for each name in so many seconds, however many ask; it outlives those who asked and went away."""

import asyncio
import contextvars
import math
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

Name = TypeVar("Name", bound=Hashable)
Answer = TypeVar("Answer")


class Recent(Generic[Name, Answer]):
    """Answers are kept for `seconds`, failures are not; about `most` names are remembered."""

    def __init__(self, ask: Callable[[Name], Awaitable[Answer]], seconds: float, most: int) -> None:
        self._ask = ask
        self._seconds = seconds
        self._most = most
        self._asked: dict[Name, tuple[float, asyncio.Task[Answer]]] = {}  # when

    async def get(self, name: Name) -> Answer:
        """Raises what the question raises."""
        return await asyncio.shield(self._task(name))

    async def close(self) -> None:
        """Give up what is under way."""
        tasks = [task for _, task in self._asked.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _task(self, name: Name) -> "asyncio.Task[Answer]":
        now = asyncio.get_running_loop().time()
        asked_at, task = self._asked.get(name, (-math.inf, None))
        if task is None or (task.done() and (now - asked_at >= self._seconds or _failed(task))):
            if len(self._asked) >= self._most:
                self._asked = {other: kept for other, kept in self._asked.items() if not kept[1].done()}
            task = asyncio.create_task(self._run(name), context=contextvars.Context())
            self._asked[name] = (now, task)
        return task

    async def _run(self, name: Name) -> Answer:
        return await self._ask(name)


def _failed(task: "asyncio.Task[Answer]") -> bool:
    return task.cancelled() or task.exception() is not None
