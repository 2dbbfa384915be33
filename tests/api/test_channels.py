"""Channels over HTTP, as docs/api.md has it: following, acting, and every list a moderator reads."""

import csv
import io
from typing import Any

import httpx
import msgspec
import pytest

from infra import cursors
from infra.clock import milliseconds, new_id
from infra.settings import MongoSettings
from infra.stores.mongo import Mongo, open_mongo
from realtime.archive.mongo import COLLECTION
from realtime.moderation import repository
from tests.accounts.world import World
from tests.realtime.moderation.stage import Stage

NOBODY = "00000000-0000-7000-8000-000000000000"


class Member:
    """Somebody signed in, and one channel they look at."""

    def __init__(self, client: httpx.AsyncClient, channel_id: str, user_id: str, token: str, name: str) -> None:
        self.id = user_id
        self.name = name
        self.channel_id = channel_id or user_id
        self._client = client
        self._headers = {"authorization": f"Bearer {token}"} if token else {}

    async def call(self, method: str, path: str, body: Any = None, **query: Any) -> httpx.Response:
        address = f"/api/v1/channels/{self.channel_id}{path}"
        return await self._client.request(method, address, headers=self._headers, json=body, params=query or None)

    async def get(self, path: str = "", **query: Any) -> dict[str, Any]:
        return good(await self.call("GET", path, **query))

    async def act(self, kind: str, **values: Any) -> dict[str, Any]:
        return good(await self.call("POST", "/actions", {"type": kind, **values}))


def good(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code < 300, answer.text
    body: dict[str, Any] = answer.json() if answer.content else {}
    return body


def refused(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


class Cast:
    """The broadcaster, one of her moderators, two viewers and a passer-by."""

    def __init__(self, cleo: Member, max_: Member, ada: Member, ben: Member, anyone: Member) -> None:
        self.cleo, self.max, self.ada, self.ben, self.anyone = cleo, max_, ada, ben, anyone


@pytest.fixture
async def cast(client: httpx.AsyncClient, world: World) -> Cast:
    people: list[Member] = []
    for name in ("Cleo", "Max", "Ada", "=Ben()"):
        signed = await world.person(f"{len(people)}@example.com", name)
        channel_id = people[0].id if people else ""
        people.append(Member(client, channel_id, signed.user.id, signed.access_token, name))
    await people[0].act("moderator", user_id=people[1].id)
    cleo, max_, ada, ben = people
    return Cast(cleo, max_, ada, ben, Member(client, cleo.id, "", "", ""))


async def test_everybody_may_look_at_a_channel(cast: Cast, stage: Stage) -> None:
    looked = await cast.anyone.get()
    assert looked == {
        "channel": {"id": cast.cleo.id, "display_name": "Cleo", "live_stream_id": None, "followers": 0},
        "me": {"role": "viewer", "capabilities": [], "following_since": None, "restriction": None, "warning": None},
    }
    assert (await cast.cleo.get())["me"]["role"] == "creator"
    assert "moderate" in (await cast.max.get())["me"]["capabilities"]
    await cast.max.act("timeout", user_id=cast.ada.id, seconds=60, reason="caps")
    await cast.max.act("warn", user_id=cast.ada.id, reason="read the rules")
    me = (await cast.ada.get())["me"]
    assert (me["capabilities"], me["warning"]["reason"]) == ([], "read the rules")
    until = milliseconds(stage.clock()) + 60_000
    assert me["restriction"] == {"kind": "timeout", "until": until, "reason": "caps"}
    await cast.ada.act("acknowledge", warning_id=me["warning"]["id"])
    assert (await cast.ada.get())["me"]["warning"] is None
    for channel_id in (NOBODY, "nothing"):
        cast.anyone.channel_id = channel_id
        assert refused(await cast.anyone.call("GET", "")) == (404, "channel.not_found")


async def test_following(cast: Cast, stage: Stage) -> None:
    since = good(await cast.ada.call("PUT", "/follow"))["following_since"]
    stage.clock.move(60)
    assert good(await cast.ada.call("PUT", "/follow"))["following_since"] == since
    assert (await cast.ada.get())["me"]["following_since"] == since
    assert (await cast.anyone.get())["channel"]["followers"] == 1
    for _ in range(2):
        assert (await cast.ada.call("DELETE", "/follow")).status_code == 204
    assert (await cast.anyone.get())["channel"]["followers"] == 0
    assert len(await stage.told("channel.followed")) == len(await stage.told("channel.unfollowed")) == 1
    await cast.max.act("ban", user_id=cast.ada.id)
    assert refused(await cast.ada.call("PUT", "/follow")) == (403, "chat.banned")
    assert refused(await cast.cleo.call("PUT", "/follow")) == (409, "mod.already_so")
    assert refused(await cast.anyone.call("PUT", "/follow")) == (401, "auth.required")


async def test_actions_answer_as_the_socket_does(cast: Cast) -> None:
    acted = await cast.max.act("timeout", user_id=cast.ada.id, seconds=90)
    assert set(acted) == {"ok", "action_id", "undo_until", "message"}
    assert acted["message"] == "Ada is timed out for 1 minute 30 seconds."
    assert (await cast.max.act("undo", action_id=acted["action_id"]))["message"] == "The timeout (Ada) is undone."
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"type": "dance"}, "type"),
        ({}, "type"),
        ({"type": "ban"}, "user_id"),
        ({"type": "ban", "user_id": cast.ada.id, "colour": 1}, "colour"),
        ({"type": "ban", "user_id": cast.ada.id, "stream_id": "s"}, "stream_id"),
        ({"type": "timeout", "user_id": cast.ada.id, "seconds": 0}, "seconds"),
        ({"type": "settings", "slow_seconds": 2}, "slow_seconds"),
    ]
    for body, field in wrong:
        answer = await cast.max.call("POST", "/actions", body)
        assert refused(answer) == (400, "request.invalid")
        assert set(answer.json()["error"]["details"]["fields"]) == {field}
    refusals: list[tuple[Member, dict[str, Any], tuple[int, str]]] = [
        (cast.ada, {"type": "ban", "user_id": cast.ben.id}, (403, "mod.not_allowed")),
        (cast.max, {"type": "ban", "user_id": cast.cleo.id}, (403, "mod.protected_user")),
        (cast.max, {"type": "ban", "user_id": NOBODY}, (404, "mod.unknown_user")),
        (cast.max, {"type": "unban", "user_id": cast.ben.id}, (409, "mod.already_so")),
        (cast.max, {"type": "clear"}, (404, "room.not_found")),
        (cast.max, {"type": "undo", "action_id": acted["action_id"]}, (409, "mod.nothing_to_undo")),
        (cast.anyone, {"type": "clear"}, (401, "auth.required")),
    ]
    for who, body, expected in refusals:
        assert refused(await who.call("POST", "/actions", body)) == expected


READS = [
    "/rules", "/terms", "/roles", "/bans", "/log", "/log/figures", "/people?q=a", f"/people/{NOBODY}",
    f"/people/{NOBODY}/messages", "/unban-requests",
]  # fmt: skip


@pytest.mark.parametrize("path", [*READS, "/log/export"])
async def test_what_moderators_know_others_do_not(cast: Cast, path: str) -> None:
    assert refused(await cast.ada.call("GET", path)) == (403, "mod.not_allowed")
    assert refused(await cast.anyone.call("GET", path)) == (401, "auth.required")


async def test_the_export_is_the_broadcasters(cast: Cast) -> None:
    assert refused(await cast.max.call("GET", "/log/export")) == (403, "mod.not_allowed")


async def test_bans_are_listed_filtered_and_paged(cast: Cast, stage: Stage) -> None:
    others = [await stage.person(f"Viewer {number}") for number in range(3)]
    for other in others:
        await cast.max.act("ban", user_id=other.id, reason="spam")
        stage.clock.move(1)
    await cast.max.act("timeout", user_id=cast.ada.id, seconds=60)
    first = await cast.max.get("/bans", limit=3)
    rest = await cast.max.get("/bans", limit=3, cursor=first["next_cursor"])
    assert [ban["user"]["name"] for ban in first["bans"] + rest["bans"]] == ["Ada", "Viewer 2", "Viewer 1", "Viewer 0"]
    assert rest["next_cursor"] is None
    assert first["bans"][1]["by"] == {"id": cast.max.id, "name": "Max"}
    assert [ban["user"]["name"] for ban in (await cast.max.get("/bans", kind="timeout"))["bans"]] == ["Ada"]
    assert len((await cast.max.get("/bans", q="vIEWER"))["bans"]) == 3
    assert (await cast.max.get("/bans", q="%"))["bans"] == []
    stage.clock.move(60)
    assert (await cast.max.get("/bans", kind="timeout"))["bans"] == []
    for cursor in ("nonsense", "gqE", first["next_cursor"][:-4]):
        assert refused(await cast.max.call("GET", "/bans", cursor=cursor)) == (400, "request.invalid")


async def test_the_log_is_filtered_and_paged(cast: Cast, stage: Stage) -> None:
    for seconds in (1, 2, 3):
        await cast.max.act("timeout", user_id=cast.ada.id, seconds=seconds)
        stage.clock.move(60)
    acted = await cast.cleo.act("ban", user_id=cast.ada.id)
    await cast.cleo.act("undo", action_id=acted["action_id"])
    everything = (await cast.max.get("/log"))["rulings"]
    assert [ruling["revision"] for ruling in everything] == [6, 5, 4, 3, 2, 1]
    assert everything[1]["undone_by"] == everything[0]["id"]
    first = await cast.max.get("/log", limit=4)
    rest = await cast.max.get("/log", limit=4, cursor=first["next_cursor"])
    assert first["rulings"] + rest["rulings"] == everything

    async def revisions(**query: Any) -> list[int]:
        return [ruling["revision"] for ruling in (await cast.max.get("/log", **query))["rulings"]]

    assert await revisions(actor=cast.max.id) == [4, 3, 2]
    assert await revisions(target=cast.max.id) == [1]
    assert await revisions(action="ban") == [5]
    assert await revisions(**{"from": "2026-03-01T12:01:00Z", "to": "2026-03-01T12:02:00Z"}) == [3]
    assert await revisions(**{"from": "2026-03-02"}) == []
    assert refused(await cast.max.call("GET", "/log", **{"from": "yesterday"})) == (400, "request.invalid")
    figures = (await cast.max.get("/log/figures"))["figures"]
    assert [(one["moderator"]["name"], one["counts"], one["total"]) for one in figures] == [
        ("Cleo", {"moderator": 1, "ban": 1, "undo": 1}, 3),
        ("Max", {"timeout": 3}, 3),
    ]


async def test_the_export_is_the_whole_log_and_no_cell_of_it_is_a_formula(cast: Cast) -> None:
    await cast.cleo.act("ban", user_id=cast.ben.id, reason='=HYPERLINK("https://evil.example")')
    await cast.cleo.act("warn", user_id=cast.ada.id, reason="+1, really,\nstop")
    answer = await cast.cleo.call("GET", "/log/export", format="csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert "attachment" in answer.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["revision"] for row in rows] == ["1", "2", "3"]
    assert (rows[1]["target_name"], rows[1]["reason"]) == ("'=Ben()", '\'=HYPERLINK("https://evil.example")')
    assert rows[2]["reason"] == "'+1, really,\nstop"
    assert rows[0]["at"] == "2026-03-01T12:00:00.000+00:00"
    answer = await cast.cleo.call("GET", "/log/export", format="json")
    assert answer.headers["content-type"] == "application/json"
    assert [ruling["revision"] for ruling in answer.json()] == [1, 2, 3]
    assert answer.json() == (await cast.cleo.get("/log"))["rulings"][::-1]
    assert (await cast.cleo.call("GET", "/log/export", **{"from": "2027-01-01"})).json() == []
    assert refused(await cast.cleo.call("GET", "/log/export", format="xml")) == (400, "request.invalid")


async def test_roles_and_people(cast: Cast) -> None:
    await cast.cleo.act("vip", user_id=cast.ada.id)
    roles = (await cast.max.get("/roles"))["roles"]
    assert [(one["user"]["name"], one["role"], one["by"]["name"]) for one in roles] == [
        ("Max", "moderator", "Cleo"), ("Ada", "vip", "Cleo"),
    ]  # fmt: skip
    assert (await cast.max.get("/people", q="aD"))["people"] == [{"id": cast.ada.id, "name": "Ada", "role": "vip"}]
    assert (await cast.max.get("/people", q="_da"))["people"] == []
    assert refused(await cast.max.call("GET", "/people")) == (400, "request.invalid")


async def test_the_card_of_a_person(cast: Cast, stage: Stage) -> None:
    good(await cast.ada.call("PUT", "/follow"))
    await cast.max.act("timeout", user_id=cast.ada.id, seconds=60)
    note = good(await cast.max.call("POST", f"/people/{cast.ada.id}/notes", {"text": "Knows better."}))
    card = await cast.cleo.get(f"/people/{cast.ada.id}")
    assert card["user"] == {"id": cast.ada.id, "name": "Ada", "role": "viewer"}
    assert (card["counts"], card["restriction"]["kind"], card["warning"]) == ({"timeout": 1}, "timeout", None)
    assert card["following_since"] == milliseconds(stage.clock())
    assert card["notes"] == [note]
    assert note["author"] == {"id": cast.max.id, "name": "Max"}
    assert [ruling["action"] for ruling in card["rulings"]] == ["timeout"]
    path = f"/people/{cast.ada.id}/notes/{note['id']}"
    assert refused(await cast.ada.call("DELETE", path)) == (403, "mod.not_allowed")
    assert (await cast.cleo.call("DELETE", path)).status_code == 204
    assert refused(await cast.cleo.call("DELETE", path)) == (404, "mod.note_gone")
    assert refused(await cast.max.call("GET", f"/people/{NOBODY}")) == (404, "mod.unknown_user")
    answer = await cast.max.call("POST", f"/people/{NOBODY}/notes", {"text": "?"})
    assert refused(answer) == (404, "mod.unknown_user")


async def test_terms_and_automod(cast: Cast, stage: Stage) -> None:
    added = good(await cast.max.call("POST", "/terms", {"text": "spoil*", "kind": "blocked", "public": True}))
    assert (added["text"], added["action"], added["by_name"]) == ("spoil*", "hold", "Max")
    stage.clock.move(1)
    good(await cast.max.call("POST", "/terms", {"text": "secret", "kind": "blocked", "action": "refuse"}))
    assert (await cast.anyone.get("/terms/public"))["terms"] == ["spoil*"]
    first = await cast.max.get("/terms", limit=1)
    rest = await cast.max.get("/terms", limit=1, cursor=first["next_cursor"])
    assert [term["text"] for term in first["terms"] + rest["terms"]] == ["secret", "spoil*"]
    again = await cast.max.call("POST", "/terms", {"text": "secret", "kind": "blocked"})
    assert refused(again) == (409, "mod.already_so")
    assert refused(await cast.max.call("POST", "/terms", {"text": "**", "kind": "blocked"}))[0] == 400
    assert refused(await cast.ada.call("POST", "/terms", {"text": "me", "kind": "allowed"})) == (403, "mod.not_allowed")
    rules = good(await cast.max.call("PUT", "/automod", {"level": 3, "links": "refuse"}))
    assert (rules["automod"]["level"], rules["automod"]["links"], rules["revision"]) == (3, "refuse", 4)
    assert good(await cast.max.call("PUT", "/automod", {"level": 3, "links": "refuse"}))["revision"] == 4
    assert refused(await cast.max.call("PUT", "/automod", {"level": 5})) == (400, "request.invalid")
    private = (await stage.truth.rules(cast.cleo.id)).private
    assert msgspec.json.decode(private.terms) == [
        {"text": "spoil*", "kind": "blocked", "action": "hold", "visibility": "public"},
        {"text": "secret", "kind": "blocked", "action": "refuse", "visibility": "private"},
    ]
    assert (await cast.max.call("DELETE", f"/terms/{added['id']}")).status_code == 204
    for gone in (added["id"], "nothing"):
        assert refused(await cast.max.call("DELETE", f"/terms/{gone}")) == (404, "automod.term_gone")
    actions = [ruling["action"] for ruling in (await cast.max.get("/log"))["rulings"]]
    assert actions == ["term_remove", "automod", "term_add", "term_add", "moderator"]


async def test_asking_to_be_let_back_in(cast: Cast, stage: Stage) -> None:
    text = {"text": "I am sorry."}
    assert refused(await cast.ada.call("POST", "/unban-requests", text)) == (409, "unban.not_banned")
    await cast.max.act("ban", user_id=cast.ada.id)
    asked = good(await cast.ada.call("POST", "/unban-requests", text))
    assert (asked["status"], asked["user"]["name"]) == ("pending", "Ada")
    assert refused(await cast.ada.call("POST", "/unban-requests", text)) == (409, "unban.already_open")
    assert (await cast.max.get("/unban-requests", status="pending"))["requests"] == [asked]
    path, yes = f"/unban-requests/{asked['id']}", {"approve": True, "text": "Welcome back."}
    assert refused(await cast.ada.call("POST", path, yes)) == (403, "mod.not_allowed")
    resolved = good(await cast.max.call("POST", path, yes))
    assert (resolved["status"], resolved["resolved_by"]["name"], resolved["resolution"]) == (
        "approved", "Max", "Welcome back.",
    )  # fmt: skip
    assert (await cast.ada.get())["me"]["restriction"] is None
    assert (await cast.max.get("/log"))["rulings"][0]["action"] == "unban"
    assert refused(await cast.max.call("POST", path, yes)) == (409, "mod.already_so")
    stage.clock.move(1)
    await cast.max.act("ban", user_id=cast.ada.id)
    second = good(await cast.ada.call("POST", "/unban-requests", text))
    good(await cast.max.call("POST", f"/unban-requests/{second['id']}", {"approve": False}))
    assert (await cast.ada.get())["me"]["restriction"]["kind"] == "ban"
    assert refused(await cast.ada.call("POST", "/unban-requests", text)) == (409, "unban.already_open")
    mine = (await cast.ada.get("/unban-requests/mine"))["requests"]
    assert [one["status"] for one in mine] == ["denied", "approved"]
    first = await cast.max.get("/unban-requests", limit=1)
    rest = await cast.max.get("/unban-requests", limit=1, cursor=first["next_cursor"])
    assert first["requests"] + rest["requests"] == mine
    assert refused(await cast.max.call("POST", f"/unban-requests/{new_id()}", yes)) == (404, "unban.not_found")


async def test_what_somebody_said_with_what_was_removed(
    cast: Cast, stage: Stage, mongo_settings: MongoSettings
) -> None:
    stream_id = await stage.stream(await stage_user(stage, cast.cleo))
    async with open_mongo(mongo_settings) as mongo:
        await write_archive(mongo, stream_id, cast.ada.id)
    first = await cast.max.get(f"/people/{cast.ada.id}/messages", limit=2)
    rest = await cast.max.get(f"/people/{cast.ada.id}/messages", limit=2, cursor=first["next_cursor"])
    said = first["messages"] + rest["messages"]
    assert [(one["text"], one["removed"]) for one in said] == [
        ("after", False), ("deleted", True), ("restored", False), ("before", False),
    ]  # fmt: skip


async def test_what_cannot_be_stored_or_counted_is_the_askers_mistake(cast: Cast) -> None:
    huge = cursors.encode((2**63, "message-1"))
    tried = [
        await cast.max.call("POST", "/actions", {"type": "ban", "user_id": cast.ada.id, "reason": "a\0b"}),
        await cast.max.call("POST", f"/people/{cast.ada.id}/notes", {"text": "a\0b"}),
        await cast.max.call("POST", "/terms", {"text": "a\0b", "kind": "blocked"}),
        await cast.max.call("GET", "/people", q="\0"),
        await cast.max.call("GET", "/log", **{"from": "0001-01-01T00:00:00+23:59"}),
        await cast.cleo.call("GET", "/log/export", to="9999-12-31T23:59:59-23:59"),
        await cast.max.call("GET", "/log", cursor=cursors.encode(2**63)),
        await cast.max.call("GET", f"/people/{cast.ada.id}/messages", cursor=huge),
    ]
    assert [refused(answer) for answer in tried] == [(400, "request.invalid")] * len(tried)


async def stage_user(stage: Stage, member: Member) -> Any:
    async with stage.db.connection() as connection:
        return await repository.person(connection, member.id, member.id)


async def write_archive(mongo: Mongo, stream_id: str, user_id: str) -> None:
    """Four messages; two are deleted, and one of those restored."""
    lines: list[tuple[str, str, str]] = [
        ("message", f"{user_id} m1", "before"),
        ("message", f"{user_id} m2", "restored"),
        ("message", f"{user_id} m3", "deleted"),
        ("moderation", f"!m {user_id} m2", ""),
        ("moderation", f"!m {user_id} m3", ""),
        ("restored", f"{user_id} m2", ""),
        ("message", f"{user_id} m4", "after"),
        ("moderation", "!u somebody-else", ""),
    ]
    documents = [
        {"_id": f"{stream_id}:e:{offset}", "stream_id": stream_id, "epoch": "e", "offset": offset, "kind": kind}
        | {"mark": mark, "at": offset, "id": mark.split()[-1], "text": text}
        | ({"user": {"id": user_id}} if kind == "message" else {})
        for offset, (kind, mark, text) in enumerate(lines, 1)
    ]
    async with mongo.collection(COLLECTION) as entries:
        await entries.insert_many(documents)


async def test_a_moderator_finds_the_channels_they_moderate_and_a_creator_their_own_first(
    cast: Cast, client: httpx.AsyncClient, world: World
) -> None:
    async with world.db.connection() as connection:
        await connection.execute(
            "UPDATE users SET role = 'creator' WHERE id = ANY($1::uuid[])", [cast.cleo.id, cast.max.id]
        )

    async def moderated(member: Member) -> list[dict[str, Any]]:
        answer = await client.get("/api/v1/channels/moderated", headers=member._headers)
        found: list[dict[str, Any]] = good(answer)["channels"]
        return found

    theirs = {"id": cast.cleo.id, "display_name": "Cleo", "role": "moderator", "live_stream_id": None}
    own = {"id": cast.max.id, "display_name": "Max", "role": "creator", "live_stream_id": None}
    assert await moderated(cast.max) == [own, theirs]
    assert [one["id"] for one in await moderated(cast.cleo)] == [cast.cleo.id]
    assert await moderated(cast.ada) == []
    assert (await client.get("/api/v1/channels/moderated")).status_code == 401
