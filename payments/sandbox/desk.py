"""Where requests are worked off: each in one transaction, writes once for each idempotency key.

As Stripe documents keys: the same key and request give the same answer for a day (`Idempotent-Replayed`), also when it
was an error; another request under the same key is an `idempotency_error`; a request that was refused before anything
was tried is not remembered.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from payments.sandbox import billing
from payments.sandbox.book import Book, Thing, shown
from payments.sandbox.encoding import read_form
from payments.sandbox.errors import Refused
from payments.sandbox.routes import answer, find_route
from payments.sandbox.store import Answer, Store

LONGEST_KEY = 255


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes back. `headers` are Stripe's own."""

    status: int
    body: str
    headers: dict[str, str] = field(default_factory=dict)


class Desk:
    """`now` is in Unix seconds, `changed` is called after each write. Nothing here waits, so nothing comes between."""

    def __init__(
        self, store: Store, now: Callable[[], float], new_id: Callable[[], str], url: str, *, listeners: int
    ) -> None:
        self.store = store
        self.now = now
        self.changed: Callable[[], None] = lambda: None
        self.url = url
        self._new_id = new_id
        self.listeners = listeners

    @contextmanager
    def open(self) -> Iterator[Book]:
        """A transaction; what is written in it is taken back when the block raises."""
        with self.store.transaction():
            yield self._book()
        self.changed()

    def tick(self) -> None:
        """Do what time has made due, each thing in a transaction of its own."""
        with self.store.transaction():
            due = [one["id"] for one in billing.due_now(self._book())]
        for object_id in due:
            with self.open() as book:
                billing.act(book, book.rows.load(object_id) or {})

    def reply(self, method: str, path: str, pairs: list[tuple[str, str]], key: str | None) -> Reply:
        """The answer to a request of Stripe's API."""
        request = f"req_{self._new_id()}"
        try:
            if key is None or method != "POST":
                return self._new(method, path, pairs, None, request)
            return self._once(method, path, pairs, key, request)
        except Refused as refused:
            return Reply(refused.status, _json(refused.as_json()), {"Request-Id": request})

    def _once(self, method: str, path: str, pairs: list[tuple[str, str]], key: str, request: str) -> Reply:
        if len(key) > LONGEST_KEY:
            raise Refused("Idempotency keys may have up to 255 characters.", kind="idempotency_error")
        asked = hashlib.sha256(_json([method, path, pairs]).encode()).hexdigest()
        before = self.store.answer(key)
        if before is None:
            return self._new(method, path, pairs, (key, asked), request)
        if before.asked != asked:
            raise Refused(
                "Keys for idempotent requests can only be used with the same parameters they were first used with. "
                f"Try using a key other than '{key}' if you meant to execute a different request.",
                kind="idempotency_error",
            )
        told = {"Request-Id": request, "Original-Request": before.request, "Idempotent-Replayed": "true"}
        return Reply(before.status, before.body, {**told, "Idempotency-Key": key})

    def _new(
        self, method: str, path: str, pairs: list[tuple[str, str]], once: tuple[str, str] | None, request: str
    ) -> Reply:
        headers = {"Request-Id": request, **({"Idempotency-Key": once[0]} if once else {})}
        try:
            with self.open() as book:
                route, ids = find_route(method, path)
                reply = Reply(200, _json(shown(answer(book, route, ids, read_form(pairs)))), headers)
                self._keep(once, reply, request)
        except Refused as refused:
            reply = Reply(refused.status, _json(refused.as_json()), headers)
            if refused.kept:
                with self.store.transaction():
                    self._keep(once, reply, request)
        return reply

    def _book(self) -> Book:
        return Book(self.store, int(self.now()), self._new_id, self.url, listeners=self.listeners)

    def _keep(self, once: tuple[str, str] | None, reply: Reply, request: str) -> None:
        if once is not None:
            self.store.keep_answer(Answer(*once, reply.status, reply.body, request), self.now())


def _json(value: Thing | list[object]) -> str:
    return json.dumps(value, separators=(",", ":"))
