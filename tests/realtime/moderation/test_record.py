"""The moderation log: dense, complete, kept for good; and rooms that come to know of it whatever fails."""

import asyncio
from collections.abc import Sequence

import asyncpg
import msgspec
import pytest

from infra.clock import milliseconds, new_id
from infra.errors import Conflict
from realtime.entries import Moderation, Person, Pin, PinChanged, RoomSettings, User
from realtime.moderation import repository
from realtime.moderation.deeds import Deed, mark_of_user
from realtime.moderation.errors import ChannelNotFound
from realtime.moderation.events import ChannelModerated
from realtime.moderation.record import Held
from realtime.room.rules import Patch, Private, Sanction
from tests.realtime.moderation.stage import Stage


def ban(stage: Stage, channel: User, target: User, stream_id: str | None = None) -> Deed:
    action_id, at = new_id(), milliseconds(stage.clock())
    entry = Moderation(
        offset=0, stream_id=stream_id or "", id=action_id, at=at, action="ban",
        target=Person(id=target.id, name=target.name),
    )  # fmt: skip
    return Deed(
        id=action_id,
        channel_id=channel.id,
        stream_id=stream_id,
        at=at,
        action="ban",
        actor=channel,
        target=target,
        reason="enough",
        after={"kind": "ban"},
        mark=mark_of_user(target.id),
        entry=entry if stream_id else None,
        patch=Patch(sanction=(target.id, Sanction(until=None, reason="enough"))),
    )


async def test_a_deed_is_a_row_a_change_of_what_holds_an_event_and_an_entry(
    stage: Stage, cleo: User, ada: User
) -> None:
    stream_id = await stage.stream(cleo)
    deed = ban(stage, cleo, ada, stream_id)
    ruling = await stage.records.record(deed)
    assert (ruling.id, ruling.revision, ruling.actor, ruling.target) == (deed.id, 1, cleo, ada)
    assert stage.feed.told == [(stream_id, ruling)]
    assert await stage.told("channel.moderated") == [
        {"at": "2026-03-01T12:00:00Z", "channel_id": cleo.id, "revision": 1, "stream_ids": [stream_id]}
    ]
    [(mark, entry)] = stage.rooms.entries(stream_id)
    assert mark == f"!u {ada.id}"
    assert entry == {
        "kind": "moderation", "stream_id": stream_id, "id": deed.id, "at": deed.at, "action": "ban",
        "target": {"id": ada.id, "name": "Ada"},
    }  # fmt: skip
    async with stage.db.connection() as connection:
        assert await repository.ruling(connection, cleo.id, deed.id) == ruling
        standing = await repository.sanction(connection, cleo.id, ada.id, stage.clock())
    assert standing is not None
    assert (standing.kind, standing.until, standing.action_id, standing.by_name) == ("ban", None, deed.id, "Cleo")
    assert stage.outbox.waiting.is_set()


async def test_fifty_at_once_have_the_revisions_one_to_fifty(stage: Stage, cleo: User, ada: User) -> None:
    stream_id = await stage.stream(cleo)
    rulings = await asyncio.gather(*[stage.records.record(ban(stage, cleo, ada, stream_id)) for _ in range(50)])
    assert sorted(ruling.revision for ruling in rulings) == list(range(1, 51)) == await stage.revisions(cleo)
    assert stage.rooms.of(stream_id).revision == 50


async def test_a_channel_that_nobody_has_is_not_found(stage: Stage, cleo: User, ada: User) -> None:
    for channel_id in (new_id(), "creator-1", ""):
        with pytest.raises(ChannelNotFound):
            await stage.records.record(msgspec.structs.replace(ban(stage, cleo, ada), channel_id=channel_id))


async def test_what_is_refused_while_deciding_leaves_nothing(stage: Stage, cleo: User) -> None:
    async def refuse(held: Held) -> Sequence[Deed]:
        await repository.set_automod(held.connection, cleo.id, {"level": 4})
        raise Conflict

    with pytest.raises(Conflict):
        await stage.records.decide(cleo.id, refuse)
    assert await stage.rows("SELECT 1 FROM channels WHERE automod <> '{}'") == []
    assert await stage.told("channel.moderated") == []


async def test_an_action_stands_when_the_rooms_shard_is_away_and_its_event_heals_the_room(
    stage: Stage, cleo: User, ada: User
) -> None:
    stream_id = await stage.stream(cleo)
    stage.rooms.away = True
    await stage.records.record(ban(stage, cleo, ada, stream_id))
    assert await stage.revisions(cleo) == [1]
    assert stage.rooms.of(stream_id).revision == 0
    stage.rooms.away = False
    [body] = await stage.told("channel.moderated")
    event = msgspec.convert(body, ChannelModerated)
    for _ in range(2):  # a bus gives some things twice
        await stage.records.heal(event)
    assert ada.id in stage.rooms.of(stream_id).sanctions
    assert len(stage.rooms.changes[stream_id]) == 1


async def test_without_a_stream_a_deed_is_only_written(stage: Stage, cleo: User, ada: User) -> None:
    await stage.records.record(ban(stage, cleo, ada))
    assert stage.rooms.changes == {}
    [change] = await stage.truth.after(cleo.id, 0)
    assert (change.stream_id, change.entry) == (None, None)


@pytest.mark.parametrize("query", ["UPDATE {} SET reason = ''", "DELETE FROM {}", "TRUNCATE {} CASCADE"])
async def test_the_log_refuses_to_be_changed(stage: Stage, cleo: User, ada: User, query: str) -> None:
    await stage.records.record(ban(stage, cleo, ada))
    async with stage.db.connection() as connection:
        with pytest.raises(asyncpg.RaiseError, match="kept for good"):
            await connection.execute(query.format("moderation_log"))
    assert await stage.revisions(cleo) == [1]


async def test_nothing_is_undone_twice(stage: Stage, cleo: User, ada: User) -> None:
    deed = ban(stage, cleo, ada)
    await stage.records.record(deed)
    undo = msgspec.structs.replace(deed, id=new_id(), undoes=deed.id)
    await stage.records.record(undo)
    with pytest.raises(asyncpg.UniqueViolationError):
        await stage.records.record(msgspec.structs.replace(undo, id=new_id()))
    async with stage.db.connection() as connection:
        undone = await repository.ruling(connection, cleo.id, deed.id)
    assert undone is not None
    assert undone.undone_by == undo.id


async def test_what_is_pinned_is_known(stage: Stage, cleo: User, ada: User) -> None:
    deed = ban(stage, cleo, ada)
    pin = Pin(message_id=new_id(), user=ada, text="hello", until=deed.at + 1000)
    entry = PinChanged(offset=0, stream_id="stream-1", id=deed.id, at=deed.at, pin=pin)
    await stage.records.record(msgspec.structs.replace(deed, stream_id="stream-1", entry=entry, patch=Patch()))
    async with stage.db.connection() as connection:
        channel = await repository.channel(connection, cleo.id)
    assert channel.pinned is not None
    assert (channel.pinned.stream_id, channel.pinned.pin) == ("stream-1", pin)


async def test_a_change_of_private_rules_brings_those_of_now_and_keeps_none_in_the_log(
    stage: Stage, cleo: User
) -> None:
    async def stricter(held: Held) -> Sequence[Deed]:
        level = held.channel.automod.get("level", 0) + 1
        await repository.set_automod(held.connection, cleo.id, {"level": level})
        return [
            Deed(
                id=new_id(),
                channel_id=cleo.id,
                at=milliseconds(stage.clock()),
                action="automod",
                actor=cleo,
                patch=Patch(settings=RoomSettings(slow_seconds=level), private=Private()),
            )
        ]

    await stage.records.decide(cleo.id, stricter)
    await stage.records.decide(cleo.id, stricter)
    changes = await stage.truth.after(cleo.id, 0)
    levels = [msgspec.json.decode(change.patch.private.automod) for change in changes if change.patch.private]
    assert levels == [{"level": 2}, {"level": 2}]
    rows = await stage.rows("SELECT change FROM moderation_log ORDER BY revision")
    assert [b"level" in row["change"] for row in rows] == [False, False]
    assert msgspec.json.decode((await stage.truth.rules(cleo.id)).private.automod) == {"level": 2}
