"""One true example for each message; structs, so that a field that changes breaks here first."""

from typing import Any

from realtime.bodies import Answer
from realtime.disconnects import DISCONNECTS, NODE_DRAINING
from realtime.entries import Gift, Message, Moderation, Paid, Person, Poll, PollChanged, Removed, RoomSettings, User
from realtime.errors import PremiumRoom
from realtime.events import (
    AskChatters,
    Auth,
    Chatters,
    Creator,
    JoinRoom,
    LeaveRoom,
    Me,
    MessageSent,
    RoomJoined,
    RoomLagged,
    RoomPosition,
    RoomRefused,
    RoomRemoved,
    RoomReset,
    RoomStatus,
    RoomViewers,
    SendMessage,
    StreamInfo,
    StudioVideo,
    UnwatchStudio,
    WatchStudio,
)
from realtime.moderation import bodies as mod

STREAM = "0198c5a2-7d1e-7c3b-9a54-2f6b1d0e8c77"
EPOCH = "5d1f0c9a"
AT = 1_760_000_000_000
ADA = User(id="0198c5a0-11aa-7f00-8b1c-3c5d7e9f0a1b", name="Ada", role="viewer")
LINE = Message(offset=42, stream_id=STREAM, id="m-7f3a9c21", user=ADA, text="Good morning!", at=AT)
MOD = User(id="0198c5a1-3b4c-7d11-9e2f-5a6b7c8d9e0f", name="Mo", role="moderator")
MESSAGE = "m-7f3a9c21"
ACTION = "0198c5b0-77aa-7b00-8c1d-2e3f4a5b6c7d"
ORDER = "0198c5b7-4e5f-7100-8a9c-6d7e8f90a1b2"
POLL = "0198c5b3-1c2d-7e00-9f10-213243546576"
HELD = mod.HeldMessage(
    id="0198c5b1-90ab-7c00-8d1e-3f4a5b6c7d8e",
    stream_id=STREAM,
    user=ADA,
    text="see example.com",
    at=AT,
    expires_at=AT + 300_000,
    findings=[mod.Finding(code="link", detail="a link to example.com", start=4, end=15)],
)
RULING = mod.Ruling(
    id=ACTION,
    revision=7,
    channel_id="0198c59f-5e21-7a10-b6d2-8e4f0c1a2b3d",
    stream_id=STREAM,
    action="timeout",
    actor=MOD,
    target=ADA,
    message_id=None,
    reason="spam",
    snapshot=None,
    before=None,
    after={"until": AT + 600_000},
    at=AT,
)
ENTRIES = [
    LINE,
    Moderation(
        offset=43,
        stream_id=STREAM,
        id=ACTION,
        at=AT,
        action="timeout",
        target=Person(id=ADA.id, name="Ada"),
        until=AT + 600_000,
    ),
    PollChanged(
        offset=44,
        stream_id=STREAM,
        id="0198c5b2-0a1b-7d00-8e0f-102132435465",
        at=AT,
        poll=Poll(id=POLL, question="Tea?", choices=["Yes", "No"], votes=[0, 0], state="open", closes_at=AT + 60_000),
    ),
    Removed(offset=45, stream_id=STREAM),
    Message(
        offset=46,
        stream_id=STREAM,
        id=ORDER,
        user=ADA,
        text="For the tea!",
        at=AT,
        paid=Paid(amount_minor=1000, currency="eur", pin_seconds=60),
    ),
    Gift(
        offset=47,
        stream_id=STREAM,
        id="0198c5b8-5f60-7200-8bad-7e8f90a1b2c3",
        at=AT,
        user=ADA,
        text="gave 5 tier 1 subscriptions to this room.",
        count=5,
        level=1,
        months=1,
        recipients=[Person(id=MOD.id, name="Mo")],
    ),
]

CONNECT = Auth(device="d-41c7a9e05b")
SENT: dict[str, list[Any]] = {
    "room:join": [JoinRoom(stream_id=STREAM), JoinRoom(stream_id=STREAM, epoch=EPOCH, offset=41)],
    "room:leave": [LeaveRoom(stream_id=STREAM)],
    "chat:send": [SendMessage(stream_id=STREAM, id="m-7f3a9c21", text="Good morning!")],
    "room:chatters": [AskChatters(stream_id=STREAM)],
    "chat:command": [mod.Slash(stream_id=STREAM, id="c-90ab12cd", line="/timeout Ada 600 spam", users={"Ada": ADA.id})],
    "chat:react": [mod.React(stream_id=STREAM, reaction="heart")],
    "chat:acknowledge": [mod.Acknowledge(stream_id=STREAM, warning_id=ACTION)],
    "poll:vote": [mod.Vote(stream_id=STREAM, poll_id=POLL, choice=0)],
    "mod:delete": [mod.DeleteMessage(stream_id=STREAM, user_id=ADA.id, message_id=MESSAGE)],
    "mod:timeout": [mod.Timeout(stream_id=STREAM, user_id=ADA.id, seconds=600, reason="spam")],
    "mod:ban": [mod.Ban(stream_id=STREAM, user_id=ADA.id)],
    "mod:unban": [mod.Unban(stream_id=STREAM, user_id=ADA.id)],
    "mod:warn": [mod.Warn(stream_id=STREAM, user_id=ADA.id, reason="Mind the rules.")],
    "mod:clear": [mod.ClearChat(stream_id=STREAM)],
    "mod:settings": [mod.ChangeSettings(stream_id=STREAM, slow_seconds=30)],
    "mod:shield": [mod.Shield(stream_id=STREAM, on=True)],
    "mod:pin": [mod.PinMessage(stream_id=STREAM, user_id=ADA.id, message_id=MESSAGE)],
    "mod:unpin": [mod.Unpin(stream_id=STREAM)],
    "mod:announce": [mod.Announce(stream_id=STREAM, text="Ten minutes to go")],
    "mod:claim": [mod.ClaimHeld(stream_id=STREAM, held_id=HELD.id)],
    "mod:approve": [mod.Approve(stream_id=STREAM, held_id=HELD.id)],
    "mod:deny": [mod.Deny(stream_id=STREAM, held_id=HELD.id)],
    "mod:raid": [mod.StartRaid(stream_id=STREAM, channel_id=MOD.id)],
    "mod:vip": [mod.MakeVip(stream_id=STREAM, user_id=ADA.id)],
    "mod:moderator": [mod.MakeModerator(stream_id=STREAM, user_id=ADA.id)],
    "mod:undo": [mod.Undo(stream_id=STREAM, action_id=ACTION)],
    "poll:open": [mod.OpenPoll(stream_id=STREAM, question="Tea?", choices=["Yes", "No"])],
    "poll:close": [mod.ClosePoll(stream_id=STREAM, poll_id=POLL)],
    "studio:watch": [WatchStudio()],
    "studio:unwatch": [UnwatchStudio()],
}
ACTED = mod.Acted(action_id=ACTION, undo_until=AT + 10_000, message="Ada is timed out for 10 minutes.")
ANSWERED: dict[str, list[Any]] = {
    "room:join": [
        RoomJoined(
            epoch=EPOCH,
            offset=42,
            recovered=True,
            entries=[LINE],
            stream=StreamInfo(
                id=STREAM,
                title="Morning show",
                category="talk",
                status="live",
                creator=Creator(id="0198c59f-5e21-7a10-b6d2-8e4f0c1a2b3d", display_name="Cleo"),
            ),
            viewers=1312,
            peak=1505,
            settings=RoomSettings(),
            me=Me(user=ADA, may_chat=True),
        )
    ],
    "room:leave": [Answer()],
    "chat:send": [MessageSent(offset=42)],
    "room:chatters": [Chatters(users=[ADA], next=None, total=1, anonymous=1311)],
    "chat:react": [Answer()],
    "chat:acknowledge": [Answer()],
    "poll:vote": [Answer()],
    "studio:watch": [Answer()],
    "studio:unwatch": [Answer()],
    **{
        name: [ACTED] for name in SENT if name.startswith("mod:") or name in ("poll:open", "poll:close", "chat:command")
    },
}
HEARD: dict[str, list[Any]] = {
    "chat": [ENTRIES],
    "room:viewers": [RoomViewers(stream_id=STREAM, viewers=1312, peak=1505)],
    "room:status": [
        RoomStatus(stream_id=STREAM, status="live", at=AT, title="Morning show", category="talk"),
        RoomStatus(stream_id=STREAM, status="ended", at=AT, title="Morning show", category=None, reason="stopped"),
    ],
    "room:you": [
        mod.RoomYou(
            stream_id=STREAM,
            role="viewer",
            capabilities=["chat"],
            restriction=mod.Restriction(kind="timeout", until=AT + 600_000, reason="spam"),
            warning=None,
        )
    ],
    "room:removed": [RoomRemoved(stream_id=STREAM, user_id=ADA.id, message_id=MESSAGE)],
    "room:poll": [mod.RoomPoll(stream_id=STREAM, poll_id=POLL, votes=[7, 3])],
    "room:reactions": [mod.RoomReactions(stream_id=STREAM, counts={"heart": 12})],
    "chat:held": [mod.ChatHeld(stream_id=STREAM, id=MESSAGE, status="held")],
    "mod:acted": [mod.ModActed(stream_id=STREAM, ruling=RULING)],
    "mod:held": [mod.ModHeld(stream_id=STREAM, change="added", held=HELD)],
    "studio:video": [
        StudioVideo(
            video_id="0198c5b4-2d3e-7f00-8a1b-4c5d6e7f8091",
            status="processing",
            stage="encoding",
            done=0.42,
            eta_seconds=31.5,
            playable=True,
            attempt=1,
            message=None,
        )
    ],
    "room:refused": [RoomRefused(stream_id=STREAM, code=PremiumRoom.code, message=PremiumRoom.message)],
    "room:reset": [RoomReset(stream_id=STREAM)],
    "room:lagged": [RoomLagged(stream_id=STREAM)],
    "session:closing": [
        NODE_DRAINING.closing(3000, {STREAM: RoomPosition(epoch=EPOCH, offset=42)}),
        *(one.closing() for one in DISCONNECTS if one is not NODE_DRAINING),
    ],
}
