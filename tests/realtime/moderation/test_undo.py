"""Taking back: in time with the messages, later without, once, and only by who may."""

import msgspec
import pytest

from infra.clock import milliseconds, new_id
from realtime.entries import User
from realtime.moderation.bodies import (
    UNDO_SECONDS,
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
from realtime.moderation.errors import CannotActOn, NotAllowed, NothingToUndo
from realtime.room.rules import Caution, Change, Sanction
from tests.realtime.moderation.conftest import moderator
from tests.realtime.moderation.stage import Stage


async def did(stage: Stage, actor: User, channel: User, command: Command) -> str:
    action_id = (await stage.act(actor, channel, command)).action_id
    assert action_id is not None
    return action_id


async def undo(stage: Stage, actor: User, channel: User, action_id: str, room: str) -> str:
    return (await stage.act(actor, channel, Undo(stream_id=room, action_id=action_id))).message


def last(stage: Stage, room: str) -> Change:
    return stage.rooms.changes[room][-1]


async def test_removals_are_undone_with_their_messages_within_ten_seconds(
    stage: Stage, cleo: User, max_: User, ada: User, room: str
) -> None:
    message_id = stage.messages.say(room, ada, "hello")
    commands: list[tuple[Command, str]] = [
        (DeleteMessage(stream_id=room, user_id=ada.id, message_id=message_id), "Deleting a message (Ada) is undone."),
        (ClearChat(stream_id=room), "Clearing the chat is undone."),
        (Timeout(stream_id=room, user_id=ada.id, seconds=600), "The timeout (Ada) is undone."),
        (Ban(stream_id=room, user_id=ada.id), "The ban (Ada) is undone."),
    ]
    for command, message in commands:
        action_id = await did(stage, max_, cleo, command)
        stage.clock.move(UNDO_SECONDS)
        assert await undo(stage, max_, cleo, action_id, room) == message
        change = last(stage, room)
        assert (change.restores, change.stream_id, change.mark) == (action_id, room, "!")
        assert stage.rooms.of(room).sanctions == {}
    log = await stage.log(cleo)
    assert [ruling.action for ruling in log[1::2]] == ["undo"] * 4
    assert [ruling.undone_by for ruling in log[::2]] == [ruling.id for ruling in log[1::2]]
    assert [ruling.undoes for ruling in log[1::2]] == [ruling.id for ruling in log[::2]]
    assert log[1].snapshot == log[0].snapshot


async def test_after_ten_seconds_messages_stay_removed(
    stage: Stage, cleo: User, max_: User, ada: User, room: str
) -> None:
    message_id = stage.messages.say(room, ada, "hello")
    command: Command
    for command in (
        DeleteMessage(stream_id=room, user_id=ada.id, message_id=message_id),
        ClearChat(stream_id=room),
        PinMessage(stream_id=room, user_id=ada.id, message_id=message_id),
    ):
        action_id = await did(stage, max_, cleo, command)
        stage.clock.move(UNDO_SECONDS + 0.001)
        with pytest.raises(NothingToUndo):
            await undo(stage, max_, cleo, action_id, room)
    for command in (Timeout(stream_id=room, user_id=ada.id, seconds=600), Ban(stream_id=room, user_id=ada.id)):
        action_id = await did(stage, max_, cleo, command)
        stage.clock.move(UNDO_SECONDS + 0.001)
        await undo(stage, max_, cleo, action_id, room)
        assert (last(stage, room).restores, last(stage, room).patch.lift) == (None, ada.id)
        assert stage.rooms.entries(room)[-1][1]["action"] == "unban"


async def test_nothing_is_undone_twice_nor_an_undo(stage: Stage, cleo: User, ada: User, room: str) -> None:
    action_id = await did(stage, cleo, cleo, Ban(stream_id=room, user_id=ada.id))
    await undo(stage, cleo, cleo, action_id, room)
    undo_id = (await stage.log(cleo))[-1].id
    said = await did(stage, cleo, cleo, Announce(stream_id=room, text="hello"))
    for what in (action_id, undo_id, said, new_id(), "nothing"):
        with pytest.raises(NothingToUndo):
            await undo(stage, cleo, cleo, what, room)


async def test_an_action_of_another_channel_is_not_there(stage: Stage, cleo: User, ada: User, room: str) -> None:
    eve = await stage.person("Eve")
    action_id = await did(stage, cleo, cleo, Ban(stream_id=room, user_id=ada.id))
    with pytest.raises(NothingToUndo):
        await undo(stage, eve, eve, action_id, "")


async def test_who_may_undo_what(stage: Stage, cleo: User, max_: User, ada: User, room: str) -> None:
    mia = await moderator(stage, cleo, "Mia")
    by_cleo = await did(stage, cleo, cleo, Ban(stream_id=room, user_id=ada.id))
    with pytest.raises(CannotActOn):
        await undo(stage, max_, cleo, by_cleo, room)
    with pytest.raises(NotAllowed):
        await undo(stage, ada, cleo, by_cleo, room)
    await undo(stage, cleo, cleo, by_cleo, room)
    by_max = await did(stage, max_, cleo, Ban(stream_id=room, user_id=ada.id))
    await undo(stage, mia, cleo, by_max, room)
    by_mia = await did(stage, mia, cleo, Ban(stream_id=room, user_id=ada.id))
    await undo(stage, cleo, cleo, by_mia, room)
    appointed = await did(stage, cleo, cleo, MakeVip(stream_id=room, user_id=ada.id))
    with pytest.raises(NotAllowed):
        await undo(stage, max_, cleo, appointed, room)


async def test_what_changed_since_is_left_alone(stage: Stage, cleo: User, ada: User, room: str) -> None:
    first = await did(stage, cleo, cleo, Timeout(stream_id=room, user_id=ada.id, seconds=60))
    second = await did(stage, cleo, cleo, Ban(stream_id=room, user_id=ada.id))
    with pytest.raises(NothingToUndo):
        await undo(stage, cleo, cleo, first, room)
    await did(stage, cleo, cleo, Unban(stream_id=room, user_id=ada.id))
    stage.clock.move(UNDO_SECONDS + 1)
    with pytest.raises(NothingToUndo):
        await undo(stage, cleo, cleo, second, room)


async def test_settings_that_were_changed_again_stay(stage: Stage, cleo: User, room: str) -> None:
    first = await did(stage, cleo, cleo, ChangeSettings(stream_id=room, slow_seconds=30))
    await did(stage, cleo, cleo, ChangeSettings(stream_id=room, slow_seconds=60))
    with pytest.raises(NothingToUndo):
        await undo(stage, cleo, cleo, first, room)
    assert stage.rooms.of(room).settings.slow_seconds == 60


async def test_a_ban_does_not_come_back_over_who_is_a_moderator_by_now(
    stage: Stage, cleo: User, max_: User, ada: User, room: str
) -> None:
    await did(stage, max_, cleo, Ban(stream_id=room, user_id=ada.id))
    lifted = await did(stage, max_, cleo, Unban(stream_id=room, user_id=ada.id))
    await did(stage, cleo, cleo, MakeModerator(stream_id=room, user_id=ada.id))
    with pytest.raises(CannotActOn):
        await undo(stage, max_, cleo, lifted, room)


async def test_a_role_does_not_come_back_to_who_is_banned(stage: Stage, cleo: User, ada: User, room: str) -> None:
    await did(stage, cleo, cleo, MakeModerator(stream_id=room, user_id=ada.id))
    taken = await did(stage, cleo, cleo, MakeModerator(stream_id=room, user_id=ada.id, on=False))
    await did(stage, cleo, cleo, Ban(stream_id=room, user_id=ada.id))
    with pytest.raises(NothingToUndo):
        await undo(stage, cleo, cleo, taken, room)


async def test_a_ban_that_replaced_a_timeout_gives_it_back(stage: Stage, cleo: User, ada: User, room: str) -> None:
    await did(stage, cleo, cleo, Timeout(stream_id=room, user_id=ada.id, seconds=600, reason="caps"))
    until = milliseconds(stage.clock()) + 600_000
    banned = await did(stage, cleo, cleo, Ban(stream_id=room, user_id=ada.id))
    await undo(stage, cleo, cleo, banned, room)
    assert stage.rooms.of(room).sanctions == {ada.id: Sanction(until=until, reason="caps")}
    assert last(stage, room).entry is None  # an entry would say more than is so


async def test_a_moderator_who_was_banned_is_one_again(stage: Stage, cleo: User, max_: User, room: str) -> None:
    banned = await did(stage, cleo, cleo, Ban(stream_id=room, user_id=max_.id))
    await undo(stage, cleo, cleo, banned, room)
    assert (await stage.truth.rules(cleo.id)).roles == {max_.id: "moderator"}


async def test_lifting_a_ban_is_undone_by_the_ban(stage: Stage, cleo: User, ada: User, room: str) -> None:
    await did(stage, cleo, cleo, Ban(stream_id=room, user_id=ada.id, reason="spam"))
    lifted = await did(stage, cleo, cleo, Unban(stream_id=room, user_id=ada.id))
    await undo(stage, cleo, cleo, lifted, room)
    assert stage.rooms.of(room).sanctions == {ada.id: Sanction(until=None, reason="spam")}
    assert last(stage, room).mark == f"!u {ada.id}"


async def test_warnings(stage: Stage, cleo: User, ada: User, room: str) -> None:
    first = await did(stage, cleo, cleo, Warn(stream_id=room, user_id=ada.id, reason="one"))
    second = await did(stage, cleo, cleo, Warn(stream_id=room, user_id=ada.id, reason="two"))
    with pytest.raises(NothingToUndo):
        await undo(stage, cleo, cleo, first, room)
    await undo(stage, cleo, cleo, second, room)
    assert stage.rooms.of(room).cautions == {ada.id: Caution(id=first, reason="one")}
    await undo(stage, cleo, cleo, first, room)
    assert stage.rooms.of(room).cautions == {}


async def test_settings_go_back_field_by_field_however_late(stage: Stage, cleo: User, room: str) -> None:
    slow = await did(stage, cleo, cleo, ChangeSettings(stream_id=room, slow_seconds=30))
    await did(stage, cleo, cleo, ChangeSettings(stream_id=room, emote_only=True))
    stage.clock.move(3600)
    await undo(stage, cleo, cleo, slow, room)
    settings = stage.rooms.of(room).settings
    assert (settings.slow_seconds, settings.emote_only) == (0, True)
    off = await did(stage, cleo, cleo, ChangeSettings(stream_id=room, emote_only=False))
    await did(stage, cleo, cleo, ChangeSettings(stream_id=room, emote_only=True))
    with pytest.raises(NothingToUndo):
        await undo(stage, cleo, cleo, off, room)


async def test_the_shield_goes_both_ways(stage: Stage, cleo: User, room: str) -> None:
    up = await did(stage, cleo, cleo, Shield(stream_id=room, on=True))
    strict = stage.rooms.of(room).settings
    await undo(stage, cleo, cleo, up, room)
    assert not stage.rooms.of(room).settings.shield
    await did(stage, cleo, cleo, Shield(stream_id=room, on=True))
    down = await did(stage, cleo, cleo, Shield(stream_id=room, on=False))
    await undo(stage, cleo, cleo, down, room)
    assert stage.rooms.of(room).settings == strict


async def test_roles_go_back(stage: Stage, cleo: User, ada: User, room: str) -> None:
    await did(stage, cleo, cleo, MakeVip(stream_id=room, user_id=ada.id))
    made = await did(stage, cleo, cleo, MakeModerator(stream_id=room, user_id=ada.id))
    stage.clock.move(3600)
    await undo(stage, cleo, cleo, made, room)
    assert stage.rooms.of(room).roles == {ada.id: "vip"}
    assert stage.rooms.entries(room)[-1][1]["role"] == "vip"
    taken = await did(stage, cleo, cleo, MakeVip(stream_id=room, user_id=ada.id, on=False))
    await undo(stage, cleo, cleo, taken, room)
    assert stage.rooms.of(room).roles == {ada.id: "vip"}


async def test_pins_go_back(stage: Stage, cleo: User, ada: User, room: str) -> None:
    one, two = stage.messages.say(room, ada, "one"), stage.messages.say(room, ada, "two")
    await did(stage, cleo, cleo, PinMessage(stream_id=room, user_id=ada.id, message_id=one))
    second = await did(stage, cleo, cleo, PinMessage(stream_id=room, user_id=ada.id, message_id=two))
    await undo(stage, cleo, cleo, second, room)
    assert stage.rooms.entries(room)[-1][1]["pin"]["text"] == "one"
    unpinned = await did(stage, cleo, cleo, Unpin(stream_id=room))
    await undo(stage, cleo, cleo, unpinned, room)
    assert stage.rooms.entries(room)[-1][1]["pin"]["text"] == "one"
    with pytest.raises(NothingToUndo):
        await undo(stage, cleo, cleo, second, room)


async def test_what_a_ban_took_off_the_top_is_there_again(stage: Stage, cleo: User, ada: User, room: str) -> None:
    hello = stage.messages.say(room, ada, "hello")
    await did(stage, cleo, cleo, PinMessage(stream_id=room, user_id=ada.id, message_id=hello))
    banned = await did(stage, cleo, cleo, Ban(stream_id=room, user_id=ada.id))
    await undo(stage, cleo, cleo, banned, room)
    assert [ruling.action for ruling in await stage.log(cleo)] == ["pin", "ban", "unpin", "undo", "undo"]
    mark, entry = stage.rooms.entries(room)[-1]
    assert (mark, entry["pin"]["text"]) == (f"+{ada.id} {hello}", "hello")
    assert msgspec.json.encode(last(stage, room).restores) == b"null"
