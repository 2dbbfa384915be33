"""Slash commands: every one is read, refused to whom it is not for, and explained; no text breaks the reading."""

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.moderation import bodies as mod
from realtime.moderation.capabilities import TABLE, may
from realtime.moderation.commands import COMMANDS, Argument, SlashCommand, find, help_text
from realtime.moderation.errors import CommandMalformed, CommandUnknown, NotAllowed
from realtime.moderation.outcomes import BUILDERS, Help, Known, Outcome, Say, SetColor, needs, outcome
from realtime.moderation.slash import Call, Named, read, seconds_of

ID = "0198c5b0-77aa-7b00-8c1d-2e3f4a5b6c7d"
MESSAGE = "m-7f3a9c21"
KNOWN = Known(
    stream_id="s1", user_id="ada", message_id=MESSAGE, poll_id="poll-1", held_id="held-1", action_id="action-1"
)
S: dict[str, Any] = {"stream_id": "s1"}
ADA: dict[str, Any] = {**S, "user_id": "ada"}

LINES: list[tuple[str, Outcome]] = [
    ("/me waves at you", Say("waves at you")),
    ("/color teal", SetColor("#149c94")),
    ("/color #2B9348", SetColor("#2b9348")),
    ("/colour default", SetColor(None)),
    ("/vote 2", mod.Vote(**S, poll_id="poll-1", choice=1)),
    ("/help", Help(None)),
    ("/help ban", Help("ban")),
    ("/ban ada", mod.Ban(**ADA)),
    ("/BAN @ada  spam, again ", mod.Ban(**ADA, reason="spam, again")),
    ('/ban "Ada Lovelace" spam', mod.Ban(**ADA, reason="spam")),
    ("/unban ada sorry", mod.Unban(**ADA, reason="sorry")),
    ("/timeout ada", mod.Timeout(**ADA, seconds=600)),
    ("/timeout ada 30", mod.Timeout(**ADA, seconds=30)),
    ("/timeout ada 2h caps", mod.Timeout(**ADA, seconds=7200, reason="caps")),
    ("/timeout ada 1h30m", mod.Timeout(**ADA, seconds=5400)),
    ("/timeout ada shouting 10m", mod.Timeout(**ADA, seconds=600, reason="shouting 10m")),
    ("/untimeout ada", mod.Unban(**ADA)),
    ("/warn ada mind the rules", mod.Warn(**ADA, reason="mind the rules")),
    ("/delete ada", mod.DeleteMessage(**ADA, message_id=MESSAGE)),
    ("/delete ada m-00000001", mod.DeleteMessage(**ADA, message_id="m-00000001")),
    ("/vip ada", mod.MakeVip(**ADA)),
    ("/unvip ada", mod.MakeVip(**ADA, on=False)),
    ("/mod ada", mod.MakeModerator(**ADA)),
    ("/unmod ada", mod.MakeModerator(**ADA, on=False)),
    ("/approve", mod.Approve(**S, held_id="held-1")),
    (f"/approve {ID}", mod.Approve(**S, held_id=ID)),
    ("/deny no links here", mod.Deny(**S, held_id="held-1", reason="no links here")),
    (f"/deny {ID} no", mod.Deny(**S, held_id=ID, reason="no")),
    ("/undo", mod.Undo(**S, action_id="action-1")),
    (f"/undo {ID}", mod.Undo(**S, action_id=ID)),
    ("/clear", mod.ClearChat(**S)),
    ("/slow", mod.ChangeSettings(**S, slow_seconds=30)),
    ("/slow 1m", mod.ChangeSettings(**S, slow_seconds=60)),
    ("/slow off", mod.ChangeSettings(**S, slow_seconds=0)),
    ("/slowoff", mod.ChangeSettings(**S, slow_seconds=0)),
    ("/followers", mod.ChangeSettings(**S, followers_seconds=0)),
    ("/followersonly 1w", mod.ChangeSettings(**S, followers_seconds=604_800)),
    ("/followers off", mod.ChangeSettings(**S, followers_seconds=None)),
    ("/followersoff", mod.ChangeSettings(**S, followers_seconds=None)),
    ("/subscribers", mod.ChangeSettings(**S, subscribers_only=True)),
    ("/subscribersoff", mod.ChangeSettings(**S, subscribers_only=False)),
    ("/emoteonly on", mod.ChangeSettings(**S, emote_only=True)),
    ("/emoteonly OFF", mod.ChangeSettings(**S, emote_only=False)),
    ("/emoteonlyoff", mod.ChangeSettings(**S, emote_only=False)),
    ("/uniquechat", mod.ChangeSettings(**S, unique_chat=True)),
    ("/r9koff", mod.ChangeSettings(**S, unique_chat=False)),
    ("/delay 4", mod.ChangeSettings(**S, delay_seconds=4)),
    ("/delay off", mod.ChangeSettings(**S, delay_seconds=0)),
    ("/delayoff", mod.ChangeSettings(**S, delay_seconds=0)),
    ("/readonly", mod.ChangeSettings(**S, read_only=True)),
    ("/readonlyoff", mod.ChangeSettings(**S, read_only=False)),
    ("/shield", mod.Shield(**S, on=True)),
    ("/shield off", mod.Shield(**S, on=False)),
    ("/shieldoff", mod.Shield(**S, on=False)),
    ("/pin ada", mod.PinMessage(**ADA, message_id=MESSAGE)),
    ("/pin ada 10m", mod.PinMessage(**ADA, message_id=MESSAGE, seconds=600)),
    ("/pin ada m-00000001 60", mod.PinMessage(**ADA, message_id="m-00000001", seconds=60)),
    ("/unpin", mod.Unpin(**S)),
    ("/announce Ten minutes to go", mod.Announce(**S, text="Ten minutes to go")),
    ("/announceblue soon", mod.Announce(**S, text="soon", tint="blue")),
    ("/announcegreen soon", mod.Announce(**S, text="soon", tint="green")),
    ("/announceorange soon", mod.Announce(**S, text="soon", tint="orange")),
    ("/announcepurple soon", mod.Announce(**S, text="soon", tint="purple")),
    ("/raid ada", mod.StartRaid(**S, channel_id="ada")),
    ("/raid ada 30", mod.StartRaid(**S, channel_id="ada", seconds=30)),
    ("/unraid", mod.StartRaid(**S, cancel=True)),
    (
        '/poll "Tea or coffee?" Tea "Black coffee" 2m',
        mod.OpenPoll(**S, question="Tea or coffee?", choices=["Tea", "Black coffee"], seconds=120),
    ),
    ('/poll "Which?" a b "30"', mod.OpenPoll(**S, question="Which?", choices=["a", "b", "30"])),
    ("/endpoll", mod.ClosePoll(**S, poll_id="poll-1")),
    ("/deletepoll", mod.ClosePoll(**S, poll_id="poll-1", cancel=True)),
]
REFUSED = [
    "/ban", "/ban @", '/ban ""', "/unban", "/untimeout", "/timeout", "/timeout ada 0", "/timeout ada 15d", "/warn ada",
    "/warn", "/delete", "/delete ada m-00000001 m-00000002", "/vip", "/unvip", "/mod", "/unmod", "/mod ada please",
    "/approve that", "/undo that", "/slow fast", "/slow 121", "/slowoff now", "/followers yes", "/followers 91d",
    "/subscribers maybe", "/subscribersoff 1", "/followersoff x", "/emoteonly 1", "/emoteonlyoff x", "/uniquechat x",
    "/uniquechatoff x", "/delay", "/delay 3", "/delayoff 1", "/readonly x", "/readonlyoff x", "/shield x",
    "/shieldoff x", "/pin", "/pin ada 5s", "/unpin it", "/announce", "/announceblue", "/announcegreen",
    "/announceorange", "/announcepurple", "/raid", "/raid ada 3", "/raid ada now", "/unraid ada", "/poll", "/poll one",
    "/poll q a", "/poll q a b c d e f", "/poll q a b 5s", f"/poll {'q' * 61} a b", "/endpoll now", "/cancelpoll now",
    "/me", "/color", "/color white", "/color beautiful", "/vote", "/vote first", "/vote 0", "/vote 6", "/help me now",
    f"/deny {'x' * 501}", f"/clear {'x' * 501}",
]  # fmt: skip


def understood(line: str) -> Outcome:
    call = read(line, "creator", {})
    assert all(getattr(KNOWN, f"{need}_id") for need in needs(call))
    return outcome(call, KNOWN)


@pytest.mark.parametrize(("line", "expected"), LINES, ids=[line for line, _ in LINES])
def test_a_line_stands_for_an_event(line: str, expected: Outcome) -> None:
    assert understood(line) == expected


@pytest.mark.parametrize("line", REFUSED)
def test_a_line_written_differently_is_refused_and_shown_how(line: str) -> None:
    with pytest.raises(CommandMalformed) as refused:
        understood(line)
    assert refused.value.details["usage"].startswith(f"/{line[1:].split(maxsplit=1)[0]}")
    assert refused.value.details["reason"]


def test_no_command_is_left_out_here() -> None:
    names = {command.name for command in COMMANDS}
    assert {find(line.split()[0], "creator").name for line, _ in LINES} == names
    assert {find(line.split()[0], "creator").name for line in REFUSED} == names
    assert {"me", "color", "help", *BUILDERS} == names


def test_every_name_and_alias_is_of_one_command() -> None:
    every = [name for command in COMMANDS for name in (command.name, *command.aliases)]
    assert len(every) == len(set(every))
    assert all(find(name.upper(), "viewer") for name in every)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_who_may_not_is_told_what_is_missing_and_is_not_shown_it(command: SlashCommand) -> None:
    for role in TABLE:
        shown = any(line.startswith(f"{command.usage}:") for line in help_text(role).splitlines())
        assert shown is may(role, command.capability)
        if not shown:
            with pytest.raises(NotAllowed) as refused:
                read(f"/{command.name}", role)
            assert refused.value.details == {"capability": command.capability}
    assert help_text("creator", command) == f"{command.usage}: {command.summary}"


@pytest.mark.parametrize(
    ("line", "suggestion"),
    [
        ("/bann ada", "/ban"),
        ("/timout ada", "/timeout"),
        ("/xyzzy", None),
        ("/", None),
        ("ban ada", None),
        ("//", None),
    ],
)
def test_an_unknown_command_comes_with_the_nearest(line: str, suggestion: str | None) -> None:
    with pytest.raises(CommandUnknown) as refused:
        read(line, "creator")
    assert refused.value.details["suggestion"] == suggestion


def test_a_viewer_is_not_offered_what_only_moderators_may() -> None:
    with pytest.raises(CommandUnknown) as refused:
        read("/bann ada", "viewer")
    assert refused.value.details["suggestion"] is None


@pytest.mark.parametrize(
    ("line", "named", "reason"),
    [
        ("/ban ada lovelace spam", Named("Ada Lovelace", "u2"), "spam"),
        ("/ban @Ada Lovelace", Named("Ada Lovelace", "u2"), None),
        ('/ban @"Ada Lovelace" spam', Named("Ada Lovelace", "u2"), "spam"),
        ("/ban ada spam", Named("Ada", "u1"), "spam"),
        ("/ban Adam spam", Named("Adam"), "spam"),
        ('/ban "Mary Ann" spam', Named("Mary Ann"), "spam"),
    ],
)
def test_whom_a_name_means_is_taken_from_the_sender(line: str, named: Named, reason: str | None) -> None:
    values = read(line, "moderator", {"Ada": "u1", "Ada Lovelace": "u2"}).values
    assert (values["user"], values.get("reason")) == (named, reason)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("600", 600), ("10m", 600), ("1h", 3600), ("2d", 172_800), ("1w", 604_800), ("1h30m", 5400), ("5s", 5)]
    + [(text, None) for text in ("", "m", "10 m", "1y", "-5", "1.5h", "10m5", "٣", "1" * 9)],
)
def test_durations(text: str, seconds: int | None) -> None:
    assert seconds_of(text) == seconds


NAMES = st.sampled_from([name for command in COMMANDS for name in (command.name, *command.aliases)])
PIECES = st.sampled_from(["ada", '"', '""', "@", "10m", "off", "on", ID, MESSAGE, "#ffffff", "99999999w", "\n", "\0"])
LINE = st.builds("/{} {}".format, NAMES, st.lists(st.one_of(PIECES, st.text(max_size=20)), max_size=8).map(" ".join))
USERS = st.dictionaries(st.text(max_size=10), st.just("u1"), max_size=3)


@given(st.one_of(st.text(max_size=700), LINE), st.sampled_from(list(TABLE)), USERS)
def test_any_text_is_a_command_or_a_refusal_in_our_words(line: str, role: Any, users: dict[str, str]) -> None:
    with contextlib.suppress(CommandUnknown, CommandMalformed, NotAllowed):
        outcome(read(line, role, users), KNOWN)


WORDS = st.text("abcdefghij", min_size=1, max_size=8)
WRITTEN: dict[str, st.SearchStrategy[Any]] = {
    "user": st.builds(Named, st.lists(WORDS, min_size=1, max_size=3).map(" ".join)),
    "duration": st.integers(1, 99_999_999),
    "number": st.integers(0, 999_999),
    "text": st.lists(WORDS, min_size=1, max_size=5).map(" ".join),
    "quoted": st.lists(WORDS, min_size=1, max_size=3).map(" ".join),
    "message": st.text("abc-_", min_size=8, max_size=64),
    "action": st.uuids().map(str),
    "color": st.integers(0, 255).map("#ff00{:02x}".format),
    "command": WORDS,
}


def given_to(argument: Argument) -> st.SearchStrategy[Any]:
    one = st.sampled_from(argument.choices) if argument.kind == "choice" else WRITTEN[argument.kind]
    return st.lists(one, min_size=2, max_size=5) if argument.many else one


@st.composite
def calls(draw: st.DrawFn) -> Call:
    """Optional arguments are left out from the right, as `usage` shows them."""
    command = draw(st.sampled_from(COMMANDS))
    least = sum(not argument.optional for argument in command.arguments)
    arguments = command.arguments[: draw(st.integers(least, len(command.arguments)))]
    return Call(command, {argument.name: draw(given_to(argument)) for argument in arguments})


def written(value: Any) -> str:
    if isinstance(value, list):
        return " ".join(f'"{one}"' for one in value)
    return f'@"{value.name}"' if isinstance(value, Named) else str(value)


@given(calls())
def test_what_is_written_as_the_usage_says_is_read_as_it_was_meant(call: Call) -> None:
    quoted = {argument.name for argument in call.command.arguments if argument.kind == "quoted" and not argument.many}
    words = [f'"{value}"' if name in quoted else written(value) for name, value in call.values.items()]
    assert read(" ".join([f"/{call.command.name}", *words]), "creator") == call
