"""Every command of moderation, and every way it is refused."""

import asyncio
from typing import Any

import msgspec
import pytest

from accounts.model import Role
from infra.clock import milliseconds, new_id
from infra.errors import FootlightError, Invalid
from realtime.entries import User
from realtime.errors import RoomNotFound, TextInvalid
from realtime.moderation import repository
from realtime.moderation.automod import AutoModRules
from realtime.moderation.bodies import (
    UNDO_SECONDS,
    Acknowledge,
    Announce,
    Ban,
    ChangeSettings,
    ClearChat,
    Command,
    DeleteMessage,
    MakeModerator,
    MakeVip,
    PinMessage,
    Shield,
    Timeout,
    Unban,
    Undo,
    Unpin,
    Warn,
)
from realtime.moderation.errors import (
    AlreadySo,
    CannotActOn,
    MessageGone,
    NotAllowed,
    TooManyOfThese,
    UnknownUser,
)
from realtime.room.rules import Caution, Sanction
from tests.realtime.moderation.conftest import moderator
from tests.realtime.moderation.stage import Stage

NOBODY = "01a20632-bd85-7be7-8aef-e9720e501eb9"


def gave(stage: Stage, room: str) -> list[tuple[str, str, str]]:
    """Mark, kind and action of every entry the room took in."""
    return [(mark, entry["kind"], entry.get("action", "")) for mark, entry in stage.rooms.entries(room)]


async def test_a_timeout_silences_and_removes(stage: Stage, cleo: User, max_: User, ada: User, room: str) -> None:
    acted = await stage.act(max_, cleo, Timeout(stream_id=room, user_id=ada.id, seconds=600, reason="caps"))
    now = milliseconds(stage.clock())
    assert acted.message == "Ada is timed out for 10 minutes."
    assert acted.undo_until == now + UNDO_SECONDS * 1000
    assert stage.rooms.of(room).sanctions == {ada.id: Sanction(until=now + 600_000, reason="caps")}
    [(mark, entry)] = stage.rooms.entries(room)
    assert mark == f"!u {ada.id}"
    assert entry == {
        "kind": "moderation", "stream_id": room, "id": acted.action_id, "at": now, "action": "timeout",
        "target": {"id": ada.id, "name": "Ada"}, "until": now + 600_000,
    }  # fmt: skip
    [ruling] = await stage.log(cleo)
    assert (ruling.action, ruling.actor.role, ruling.reason) == ("timeout", "moderator", "caps")
    assert ruling.after == {"kind": "timeout", "until": now + 600_000, "reason": "caps", "seconds": 600}
    assert stage.feed.told == [(room, ruling)]


async def test_a_second_timeout_replaces_the_first_and_a_ban_both(
    stage: Stage, cleo: User, max_: User, ada: User, room: str
) -> None:
    await stage.act(max_, cleo, Timeout(stream_id=room, user_id=ada.id, seconds=600))
    await stage.act(max_, cleo, Timeout(stream_id=room, user_id=ada.id, seconds=1))
    now = milliseconds(stage.clock())
    assert stage.rooms.of(room).sanctions[ada.id].until == now + 1000
    acted = await stage.act(max_, cleo, Ban(stream_id=room, user_id=ada.id, reason="spam"))
    assert acted.message == "Ada is banned."
    assert stage.rooms.of(room).sanctions[ada.id] == Sanction(until=None, reason="spam")
    assert (await stage.log(cleo))[-1].before == {"kind": "timeout", "until": now + 1000, "reason": ""}


async def test_a_ban_stays_under_a_timeout(stage: Stage, cleo: User, max_: User, ada: User, room: str) -> None:
    await stage.act(max_, cleo, Ban(stream_id=room, user_id=ada.id))
    with pytest.raises(AlreadySo, match="banned"):
        await stage.act(max_, cleo, Timeout(stream_id=room, user_id=ada.id, seconds=60))
    with pytest.raises(AlreadySo):
        await stage.act(max_, cleo, Ban(stream_id=room, user_id=ada.id))
    assert await stage.revisions(cleo) == [1]


async def test_unban_lifts_a_ban_or_a_timeout(stage: Stage, cleo: User, max_: User, ada: User, room: str) -> None:
    for command, word in (
        (Ban(stream_id=room, user_id=ada.id), "banned"),
        (Timeout(stream_id=room, user_id=ada.id, seconds=60), "timed out"),
    ):
        await stage.act(max_, cleo, command)
        acted = await stage.act(max_, cleo, Unban(stream_id=room, user_id=ada.id))
        assert acted.message == f"Ada is not {word} any more."
        assert stage.rooms.of(room).sanctions == {}
        assert gave(stage, room)[-1] == ("!", "moderation", "unban")
        with pytest.raises(AlreadySo):
            await stage.act(max_, cleo, Unban(stream_id=room, user_id=ada.id))


async def test_a_timeout_that_is_over_is_not_lifted(stage: Stage, cleo: User, max_: User, ada: User, room: str) -> None:
    await stage.act(max_, cleo, Timeout(stream_id=room, user_id=ada.id, seconds=1))
    stage.clock.move(1)
    with pytest.raises(AlreadySo):
        await stage.act(max_, cleo, Unban(stream_id=room, user_id=ada.id))
    assert (await stage.truth.rules(cleo.id)).sanctions == {}


async def test_a_banned_moderator_is_none_any_more(stage: Stage, cleo: User, max_: User, room: str) -> None:
    await stage.act(cleo, cleo, Ban(stream_id=room, user_id=max_.id))
    assert (await stage.truth.rules(cleo.id)).roles == {}
    assert (await stage.log(cleo))[0].before == {"role": "moderator"}


async def test_a_warning_is_open_until_it_is_acknowledged(
    stage: Stage, cleo: User, max_: User, ada: User, room: str
) -> None:
    first = await stage.act(max_, cleo, Warn(stream_id=room, user_id=ada.id, reason="no spoilers"))
    warned = await stage.act(max_, cleo, Warn(stream_id=room, user_id=ada.id, reason="please"))
    assert first.action_id is not None
    assert warned.action_id is not None
    assert stage.rooms.of(room).cautions == {ada.id: Caution(id=warned.action_id, reason="please")}
    with pytest.raises(AlreadySo):
        await stage.act(ada, cleo, Acknowledge(stream_id=room, warning_id=first.action_id))
    done = await stage.act(ada, cleo, Acknowledge(stream_id=room, warning_id=warned.action_id))
    assert (done.undo_until, stage.rooms.of(room).cautions) == (None, {})
    assert [action for _, _, action in gave(stage, room)] == ["warn", "warn", "acknowledge"]
    [*_, (_, entry)] = stage.rooms.entries(room)
    assert entry["target"] == {"id": ada.id, "name": "Ada"}


async def test_deleting_keeps_the_message_for_moderators(
    stage: Stage, cleo: User, max_: User, ada: User, room: str
) -> None:
    message_id = stage.messages.say(room, ada, "a rude word")
    command = DeleteMessage(stream_id=room, user_id=ada.id, message_id=message_id, reason="rude")
    acted = await stage.act(max_, cleo, command)
    assert acted.message == "A message of Ada is deleted."
    [(mark, entry)] = stage.rooms.entries(room)
    assert mark == f"!m {ada.id} {message_id}"
    assert (entry["action"], entry["message_id"]) == ("delete", message_id)
    assert not {"actor", "reason", "snapshot"} & set(entry)
    [ruling] = await stage.log(cleo)
    assert ruling.snapshot is not None
    assert (ruling.snapshot["text"], ruling.message_id) == ("a rude word", message_id)


async def test_a_message_that_is_not_there_cannot_be_deleted_or_pinned(
    stage: Stage, cleo: User, max_: User, ada: User, room: str
) -> None:
    for command in (
        DeleteMessage(stream_id=room, user_id=ada.id, message_id="message-9"),
        PinMessage(stream_id=room, user_id=ada.id, message_id="message-9"),
    ):
        with pytest.raises(MessageGone):
            await stage.act(max_, cleo, command)


async def test_moderators_may_delete_what_they_said_themselves(stage: Stage, cleo: User, max_: User, room: str) -> None:
    message_id = stage.messages.say(room, max_, "oops")
    await stage.act(max_, cleo, DeleteMessage(stream_id=room, user_id=max_.id, message_id=message_id))


async def test_clearing(stage: Stage, cleo: User, max_: User, room: str) -> None:
    assert (await stage.act(max_, cleo, ClearChat(stream_id=room))).message == "The chat is cleared."
    assert gave(stage, room) == [("!*", "moderation", "clear")]


async def test_a_pin_stays_until_its_message_goes(stage: Stage, cleo: User, max_: User, ada: User, room: str) -> None:
    hello, other = stage.messages.say(room, ada, "hello"), stage.messages.say(room, ada, "other")
    pinned = await stage.act(max_, cleo, PinMessage(stream_id=room, user_id=ada.id, message_id=hello, seconds=60))
    assert pinned.message == "A message of Ada is pinned for 1 minute."
    [(mark, entry)] = stage.rooms.entries(room)
    assert mark == f"+{ada.id} {hello}"
    assert entry["pin"]["text"] == "hello"
    await stage.act(max_, cleo, DeleteMessage(stream_id=room, user_id=ada.id, message_id=other))
    assert len(await stage.log(cleo)) == 2
    await stage.act(max_, cleo, Ban(stream_id=room, user_id=ada.id))
    assert [ruling.action for ruling in await stage.log(cleo)] == ["pin", "delete", "ban", "unpin"]
    assert [kind for _, kind, _ in gave(stage, room)] == ["pin", "moderation", "moderation", "pin"]
    assert stage.rooms.entries(room)[-1][1]["pin"] is None
    assert (await stage.told("channel.moderated"))[-1]["revision"] == 4
    with pytest.raises(AlreadySo):
        await stage.act(max_, cleo, Unpin(stream_id=room))


@pytest.mark.parametrize("way", ["delete", "clear", "timeout"])
async def test_every_removal_takes_down_the_pin_it_covers(
    stage: Stage, cleo: User, ada: User, room: str, way: str
) -> None:
    hello = stage.messages.say(room, ada, "hello")
    await stage.act(cleo, cleo, PinMessage(stream_id=room, user_id=ada.id, message_id=hello))
    commands: dict[str, Command] = {
        "delete": DeleteMessage(stream_id=room, user_id=ada.id, message_id=hello),
        "clear": ClearChat(stream_id=room),
        "timeout": Timeout(stream_id=room, user_id=ada.id, seconds=5),
    }
    await stage.act(cleo, cleo, commands[way])
    assert [ruling.action for ruling in await stage.log(cleo)] == ["pin", way, "unpin"]


async def test_unpin(stage: Stage, cleo: User, ada: User, room: str) -> None:
    hello = stage.messages.say(room, ada, "hello")
    await stage.act(cleo, cleo, PinMessage(stream_id=room, user_id=ada.id, message_id=hello))
    assert (await stage.act(cleo, cleo, Unpin(stream_id=room))).message == "Nothing is pinned any more."
    await stage.act(cleo, cleo, PinMessage(stream_id=room, user_id=ada.id, message_id=hello, seconds=30))
    stage.clock.move(30)
    with pytest.raises(AlreadySo):
        await stage.act(cleo, cleo, Unpin(stream_id=room))


async def test_an_announcement_stands_in_the_log_and_cannot_be_undone(
    stage: Stage, cleo: User, max_: User, room: str
) -> None:
    acted = await stage.act(max_, cleo, Announce(stream_id=room, text="  Back in five  ", tint="green"))
    assert acted.undo_until is None
    [(mark, entry)] = stage.rooms.entries(room)
    assert (entry["kind"], entry["text"], entry["tint"]) == ("announcement", "Back in five", "green")
    assert mark == f"+{max_.id} {entry['id']}"  # a ban of who said it removes it too
    assert entry["user"]["role"] == "moderator"
    with pytest.raises(TextInvalid):
        await stage.act(max_, cleo, Announce(stream_id=room, text=" \u202e "))


async def test_settings_change_what_is_named_and_nothing_else(stage: Stage, cleo: User, room: str) -> None:
    await stage.act(cleo, cleo, ChangeSettings(stream_id=room, emote_only=True))
    acted = await stage.act(cleo, cleo, ChangeSettings(stream_id=room, slow_seconds=30, followers_seconds=0))
    assert acted.message == "Changed: slow mode 30 seconds, followers-only on."
    settings = stage.rooms.of(room).settings
    assert (settings.emote_only, settings.slow_seconds, settings.followers_seconds) == (True, 30, 0)
    ruling = (await stage.log(cleo))[-1]
    assert ruling.before == {"slow_seconds": 0, "followers_seconds": None}
    assert ruling.after == {"slow_seconds": 30, "followers_seconds": 0}
    assert stage.rooms.entries(room)[-1][1]["settings"]["slow_seconds"] == 30
    with pytest.raises(AlreadySo):
        await stage.act(cleo, cleo, ChangeSettings(stream_id=room, slow_seconds=30))
    with pytest.raises(AlreadySo):
        await stage.act(cleo, cleo, ChangeSettings(stream_id=room))


@pytest.mark.parametrize(
    "wrong", [{"slow_seconds": 1}, {"slow_seconds": 2}, {"slow_seconds": 121}, {"followers_seconds": 7_776_001}]
)
async def test_settings_out_of_range_are_refused(stage: Stage, cleo: User, room: str, wrong: dict[str, Any]) -> None:
    with pytest.raises(Invalid) as refused:
        await stage.act(cleo, cleo, ChangeSettings(stream_id=room, **wrong))
    assert set(refused.value.details["fields"]) == set(wrong)


async def test_the_shield_is_the_strictest_and_gives_back_what_was(stage: Stage, cleo: User, room: str) -> None:
    await stage.act(cleo, cleo, ChangeSettings(stream_id=room, slow_seconds=60, emote_only=True))
    before = stage.rooms.of(room)
    await stage.act(cleo, cleo, Shield(stream_id=room, on=True))
    up = stage.rooms.of(room)
    assert (up.settings.shield, up.settings.slow_seconds, up.settings.followers_seconds) == (True, 60, 600)
    assert up.settings.unique_chat
    strict = msgspec.json.decode(up.private.automod, type=AutoModRules)
    assert (strict.level, strict.account_age_seconds) == (4, 604_800)
    with pytest.raises(AlreadySo):
        await stage.act(cleo, cleo, Shield(stream_id=room, on=True))
    await stage.act(cleo, cleo, ChangeSettings(stream_id=room, slow_seconds=120))
    await stage.act(cleo, cleo, Shield(stream_id=room, on=False))
    assert stage.rooms.of(room).settings == before.settings
    assert bytes(stage.rooms.of(room).private.automod) == b"{}"


async def test_roles_are_given_and_taken(stage: Stage, cleo: User, ada: User, room: str) -> None:
    acted = await stage.act(cleo, cleo, MakeVip(stream_id=room, user_id=ada.id))
    assert acted.message == "Ada is a VIP now."
    acted = await stage.act(cleo, cleo, MakeModerator(stream_id=room, user_id=ada.id))
    assert (acted.message, stage.rooms.of(room).roles) == ("Ada is a moderator now.", {ada.id: "moderator"})
    for already in (MakeVip(stream_id=room, user_id=ada.id), MakeModerator(stream_id=room, user_id=ada.id)):
        with pytest.raises(AlreadySo):
            await stage.act(cleo, cleo, already)
    with pytest.raises(AlreadySo, match="not a VIP"):
        await stage.act(cleo, cleo, MakeVip(stream_id=room, user_id=ada.id, on=False))
    await stage.act(cleo, cleo, MakeModerator(stream_id=room, user_id=ada.id, on=False))
    assert stage.rooms.of(room).roles == {}
    roles = [entry["role"] for _, entry in stage.rooms.entries(room)]
    assert roles == ["vip", "moderator", "viewer"]
    await stage.act(cleo, cleo, Ban(stream_id=room, user_id=ada.id))
    with pytest.raises(AlreadySo, match="banned"):
        await stage.act(cleo, cleo, MakeModerator(stream_id=room, user_id=ada.id))


@pytest.mark.parametrize(("role", "most"), [("moderator", 100), ("vip", 200)])
async def test_there_are_so_many_of_a_role_and_no_more(
    stage: Stage, cleo: User, ada: User, room: str, role: str, most: int
) -> None:
    await stage.act(cleo, cleo, ChangeSettings(stream_id=room, read_only=True))
    async with stage.db.connection() as connection:
        await connection.execute(
            "WITH made AS (INSERT INTO users (id, email, display_name, password_hash, created_at, updated_at) "
            "SELECT gen_random_uuid(), n || '@example.com', 'Someone', '', now(), now() "
            "FROM generate_series(1, $3) n RETURNING id) "
            "INSERT INTO channel_roles SELECT $1, id, $2, $1, now() FROM made",
            cleo.id, role, most,
        )  # fmt: skip
    command = MakeVip if role == "vip" else MakeModerator
    with pytest.raises(TooManyOfThese) as refused:
        await stage.act(cleo, cleo, command(stream_id=room, user_id=ada.id))
    assert refused.value.details == {"max": most}


COMMANDS: list[tuple[str, Command]] = [
    ("delete", DeleteMessage(stream_id="s", user_id="ada", message_id="message-1")),
    ("clear", ClearChat(stream_id="s")),
    ("timeout", Timeout(stream_id="s", user_id="ada", seconds=5)),
    ("ban", Ban(stream_id="s", user_id="ada")),
    ("unban", Unban(stream_id="s", user_id="ada")),
    ("warn", Warn(stream_id="s", user_id="ada", reason="x")),
    ("settings", ChangeSettings(stream_id="s", read_only=True)),
    ("shield", Shield(stream_id="s", on=True)),
    ("pin", PinMessage(stream_id="s", user_id="ada", message_id="message-1")),
    ("unpin", Unpin(stream_id="s")),
    ("announce", Announce(stream_id="s", text="x")),
    ("moderator", MakeModerator(stream_id="s", user_id="ada")),
    ("vip", MakeVip(stream_id="s", user_id="ada")),
    ("undo", Undo(stream_id="s", action_id=new_id())),
]
ABOUT_SOMEBODY = ("delete", "timeout", "ban", "unban", "warn", "moderator", "vip")


def about(command: Command, user: User, room: str) -> Command:
    values = {"stream_id": room} | ({"user_id": user.id} if hasattr(command, "user_id") else {})
    return type(command)(**{name: getattr(command, name) for name in command.__struct_fields__} | values)


@pytest.mark.parametrize("command", [command for _, command in COMMANDS], ids=[name for name, _ in COMMANDS])
async def test_viewers_may_do_none_of_it(stage: Stage, cleo: User, ada: User, room: str, command: Command) -> None:
    stage.messages.say(room, ada, "hello", "message-1")
    pretender = User(id=ada.id, name="Ada", role="moderator")  # as a room that is behind might see her
    with pytest.raises(NotAllowed):
        await stage.act(pretender, cleo, about(command, await stage.person("Ben"), room))
    assert await stage.revisions(cleo) == []


@pytest.mark.parametrize("name", ABOUT_SOMEBODY)
async def test_nobody_acts_on_their_equals_or_betters(
    stage: Stage, cleo: User, max_: User, room: str, name: str
) -> None:
    command = dict(COMMANDS)[name]
    other = await moderator(stage, cleo, "Mia")
    admin = await stage.person("Root", platform="admin")
    tries = [(cleo, admin), (cleo, cleo)]
    if name not in {"moderator", "vip"}:
        tries += [(max_, other), (max_, cleo), (max_, admin)]
    for actor, target in tries:
        if name == "delete":
            if actor.id == target.id:
                continue
            stage.messages.say(room, target, "hello", "message-1")
        with pytest.raises(CannotActOn):
            await stage.act(actor, cleo, about(command, target, room))


async def test_who_is_timed_out_has_no_say_until_it_is_over(
    stage: Stage, cleo: User, max_: User, ada: User, room: str
) -> None:
    stage.messages.say(room, ada, "hello", "message-1")
    await stage.act(cleo, cleo, Timeout(stream_id=room, user_id=max_.id, seconds=60))
    for name, command in COMMANDS:
        if name not in ("moderator", "vip"):
            with pytest.raises((NotAllowed, CannotActOn)):
                await stage.act(max_, cleo, about(command, max_ if name == "unban" else ada, room))
    assert len(await stage.revisions(cleo)) == 1
    stage.clock.move(60)
    await stage.act(max_, cleo, Ban(stream_id=room, user_id=ada.id))


async def test_strangers_wait_for_no_lock_and_search_no_log(
    stage: Stage, cleo: User, ada: User, room: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage.messages, "find", None)
    async with stage.db.transaction() as connection:
        await repository.lock(connection, cleo.id, stage.clock())
        async with asyncio.timeout(5):
            with pytest.raises(NotAllowed):
                await stage.act(ada, cleo, DeleteMessage(stream_id=room, user_id=ada.id, message_id="message-1"))
            with pytest.raises(AlreadySo):
                await stage.act(ada, cleo, Acknowledge(stream_id=room, warning_id="warning-1"))


async def test_moderators_appoint_nobody(stage: Stage, cleo: User, max_: User, ada: User, room: str) -> None:
    for command in (MakeModerator(stream_id=room, user_id=ada.id), MakeVip(stream_id=room, user_id=ada.id)):
        with pytest.raises(NotAllowed):
            await stage.act(max_, cleo, command)


@pytest.mark.parametrize("user_id", [NOBODY, "nobody", "00000000-0000-0000-0000-000000000000"])
@pytest.mark.parametrize("name", ["ban", "timeout", "unban", "warn", "vip"])
async def test_who_has_no_account_is_unknown(stage: Stage, cleo: User, room: str, name: str, user_id: str) -> None:
    command = about(dict(COMMANDS)[name], User(id=user_id, name="", role="viewer"), room)
    with pytest.raises(UnknownUser):
        await stage.act(cleo, cleo, command)


@pytest.mark.parametrize("name", ["clear", "announce", "unpin"])
async def test_what_means_nothing_without_a_room_is_refused_when_nothing_is_live(
    stage: Stage, cleo: User, ada: User, name: str
) -> None:
    with pytest.raises(RoomNotFound):
        await stage.act(cleo, cleo, about(dict(COMMANDS)[name], ada, ""))


async def test_without_a_stream_named_it_is_the_open_one(stage: Stage, cleo: User, ada: User, room: str) -> None:
    message_id = stage.messages.say(room, ada, "hello")
    await stage.act(cleo, cleo, DeleteMessage(stream_id="", user_id=ada.id, message_id=message_id))
    assert gave(stage, room) == [(f"!m {ada.id} {message_id}", "moderation", "delete")]


@pytest.mark.parametrize("platform", ["admin", "free"])
async def test_platform_admins_may_do_all_in_every_channel(
    stage: Stage, cleo: User, ada: User, room: str, platform: Role
) -> None:
    root = await stage.person("Root", platform=platform)
    command = MakeModerator(stream_id=room, user_id=ada.id)
    if platform == "admin":
        await stage.act(root, cleo, command)
        assert (await stage.log(cleo))[0].actor.role == "admin"
    else:
        with pytest.raises(NotAllowed):
            await stage.act(root, cleo, command)


async def test_a_ban_without_a_stream_reaches_the_room_that_opens_later(stage: Stage, cleo: User, ada: User) -> None:
    await stage.act(cleo, cleo, Ban(stream_id="", user_id=ada.id))
    room = await stage.stream(cleo)
    await stage.rooms.catch_up(room, cleo.id)
    assert ada.id in stage.rooms.of(room).sanctions
    assert stage.rooms.entries(room) == []


async def test_an_action_in_an_old_room_reaches_the_open_one_too(
    stage: Stage, cleo: User, ada: User, room: str
) -> None:
    await stage.act(cleo, cleo, Timeout(stream_id="an-older-stream", user_id=ada.id, seconds=60))
    assert ada.id in stage.rooms.of(room).sanctions
    assert ada.id in stage.rooms.of("an-older-stream").sanctions


async def test_of_two_bans_at_once_one_counts_and_the_other_is_told(
    stage: Stage, cleo: User, max_: User, ada: User, room: str
) -> None:
    other = await moderator(stage, cleo, "Mia")
    answers = await asyncio.gather(
        *[stage.act(actor, cleo, Ban(stream_id=room, user_id=ada.id)) for actor in (max_, other)],
        return_exceptions=True,
    )
    assert sorted(isinstance(answer, AlreadySo) for answer in answers) == [False, True]
    assert await stage.revisions(cleo) == [1]


async def test_two_who_ban_two_at_once_have_a_row_each(
    stage: Stage, cleo: User, max_: User, ada: User, room: str
) -> None:
    ben = await stage.person("Ben")
    await asyncio.gather(*[stage.act(max_, cleo, Ban(stream_id=room, user_id=who.id)) for who in (ada, ben)])
    assert await stage.revisions(cleo) == [1, 2]
    assert set(stage.rooms.of(room).sanctions) == {ada.id, ben.id}


async def test_who_is_no_moderator_any_more_is_refused_whatever_the_room_believes(
    stage: Stage, cleo: User, max_: User, ada: User, room: str
) -> None:
    await stage.act(cleo, cleo, MakeModerator(stream_id=room, user_id=max_.id, on=False))
    with pytest.raises(FootlightError) as refused:
        await stage.act(max_, cleo, Ban(stream_id=room, user_id=ada.id))
    assert refused.value.code == "mod.not_allowed"
