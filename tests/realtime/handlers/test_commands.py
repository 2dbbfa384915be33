"""A slash command goes through the very handler of the event it stands for, with what the line left out filled in."""

from collections.abc import Sequence

import pytest

from infra.errors import FootlightError
from infra.stores.postgres import Postgres
from realtime.bodies import Answer, Body
from realtime.connections import Connection
from realtime.entries import Person, RoomRole, User
from realtime.events import MessageSent, SendMessage
from realtime.handlers.commands import CommandHandlers
from realtime.moderation import bodies as mod
from realtime.moderation.errors import (
    AmbiguousUser,
    ChatWarned,
    CommandUnknown,
    HeldGone,
    MessageGone,
    NothingToUndo,
    PollClosed,
    UnknownUser,
)
from realtime.moderation.names import PeopleByName
from tests.realtime.moderation.stage import Stage
from tests.realtime.nodes import DeafSocket

ADA = Person(id="u-ada", name="Ada")
DONE = mod.Acted(action_id="action-2", message="Ada is banned.")


class Room:
    """Everything around the handler, as the test says; remembers what was dispatched and coloured."""

    def __init__(self, role: RoomRole = "moderator") -> None:
        self.me = User(id="u-me", name="Mo", role=role)
        self.people = [ADA]
        self.poll: str | None = "poll-1"
        self.messages = {"u-ada": "m-newest1"}
        self.actions = {"u-me": "action-1"}
        self.claims = {"u-me": "held-1"}
        self.colors: list[tuple[str, str | None]] = []
        self.dispatched: list[tuple[str, Body]] = []
        self.answer: Answer | FootlightError = DONE
        self.handlers = CommandHandlers(
            people=self, facts=self, user_here=self.user_here, dispatch=self.dispatch, color_name=self.color_name
        )

    async def type(self, line: str, **users: str) -> mod.Acted:
        body = mod.Slash(stream_id="s1", id="c-90ab12cd", line=line, users=users)
        return await self.handlers.handle(Connection("sid", DeafSocket(), None, None), body)

    async def by_name(self, name: str) -> Sequence[Person]:
        return [one for one in self.people if one.name.lower() == name.lower()]

    async def open_poll(self, stream_id: str) -> str | None:
        return self.poll

    async def last_message(self, stream_id: str, user_id: str) -> str | None:
        return self.messages.get(user_id)

    async def last_action(self, stream_id: str, actor_id: str) -> str | None:
        return self.actions.get(actor_id)

    async def claimed(self, stream_id: str, moderator_id: str) -> str | None:
        return self.claims.get(moderator_id)

    async def user_here(self, who: Connection, stream_id: str) -> User:
        return self.me

    async def dispatch(self, who: Connection, event: str, body: Body) -> Answer:
        self.dispatched.append((event, body))
        if isinstance(self.answer, FootlightError):
            raise self.answer
        return self.answer

    async def color_name(self, user_id: str, color: str | None) -> None:
        self.colors.append((user_id, color))


@pytest.fixture
def room() -> Room:
    return Room()


async def test_a_command_reaches_the_handler_of_its_event_and_answers_as_it_does(room: Room) -> None:
    assert await room.type("/ban ada spam") == DONE
    assert room.dispatched == [("mod:ban", mod.Ban(stream_id="s1", user_id="u-ada", reason="spam"))]


async def test_what_the_handler_refuses_is_refused(room: Room) -> None:
    room.answer = ChatWarned()
    with pytest.raises(ChatWarned):
        await room.type("/me waves")


async def test_doing_something_is_a_message_with_the_id_of_the_line(room: Room) -> None:
    room.answer = MessageSent(offset=7)
    assert await room.type("/me waves") == mod.Acted()
    said = SendMessage(stream_id="s1", id="c-90ab12cd", text="waves", me=True)
    assert room.dispatched == [("chat:send", said)]
    room.answer = MessageSent(offset=0, held=True)
    assert "moderator" in (await room.type("/me waves")).message


@pytest.mark.parametrize(
    ("line", "event", "body"),
    [
        ("/vote 2", "poll:vote", mod.Vote(stream_id="s1", poll_id="poll-1", choice=1)),
        ("/endpoll", "poll:close", mod.ClosePoll(stream_id="s1", poll_id="poll-1")),
        ("/undo", "mod:undo", mod.Undo(stream_id="s1", action_id="action-1")),
        ("/approve", "mod:approve", mod.Approve(stream_id="s1", held_id="held-1")),
        ("/delete ada", "mod:delete", mod.DeleteMessage(stream_id="s1", user_id="u-ada", message_id="m-newest1")),
        ("/slow 10", "mod:settings", mod.ChangeSettings(stream_id="s1", slow_seconds=10)),
    ],
)
async def test_what_a_line_leaves_out_is_found_in_the_room(room: Room, line: str, event: str, body: Body) -> None:
    await room.type(line)
    assert room.dispatched == [(event, body)]


async def test_a_vote_is_answered_as_every_command_is(room: Room) -> None:
    room.answer = Answer()
    assert await room.type("/vote 1") == mod.Acted(message="Your vote counts.")


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("/vote 2", PollClosed), ("/cancelpoll", PollClosed), ("/undo", NothingToUndo), ("/deny no", HeldGone),
        ("/delete ada", MessageGone), ("/pin ada", MessageGone), ("/ban bob", UnknownUser),
        ("/help bann", CommandUnknown),
    ],
)  # fmt: skip
async def test_what_cannot_be_found_is_said(room: Room, line: str, error: type[FootlightError]) -> None:
    room.poll, room.messages, room.actions, room.claims = None, {}, {}, {}
    with pytest.raises(error):
        await room.type(line)
    assert room.dispatched == []


async def test_of_several_of_one_name_the_sender_says_which(room: Room) -> None:
    room.people = [ADA, Person(id="u-other", name="ada")]
    with pytest.raises(AmbiguousUser) as refused:
        await room.type("/ban Ada")
    assert refused.value.details["users"] == [{"id": "u-ada", "name": "Ada"}, {"id": "u-other", "name": "ada"}]
    await room.type("/ban Ada", Ada="u-other")
    assert room.dispatched == [("mod:ban", mod.Ban(stream_id="s1", user_id="u-other"))]


async def test_the_colour_is_set_for_who_asks(room: Room) -> None:
    await room.type("/color teal")
    await room.type("/color default")
    assert room.colors == [("u-me", "#149c94"), ("u-me", None)]
    assert room.dispatched == []


async def test_help_is_for_the_role_one_has() -> None:
    viewer, moderator = Room("viewer"), Room("moderator")
    assert "/ban" not in (await viewer.type("/help")).message
    assert "/vote <number>" in (await viewer.type("/help")).message
    assert "/ban <user> [reason]" in (await moderator.type("/help")).message
    assert "/vip" not in (await moderator.type("/help")).message
    assert (await moderator.type("/help slow")).message.startswith("/slow [duration|off]: ")


async def test_people_are_found_by_name_in_any_case_the_oldest_first(stage: Stage, db: Postgres) -> None:
    first, second = await stage.person("Ada Lovelace"), await stage.person("ada lovelace")
    await stage.person("Ada")
    people = PeopleByName(db)
    assert [one.id for one in await people.by_name("ADA lovelace")] == [first.id, second.id]
    assert await people.by_name("ada%") == []
    assert await people.by_name("nobody") == []


@pytest.fixture
def stage(db: Postgres) -> Stage:
    return Stage(db)
