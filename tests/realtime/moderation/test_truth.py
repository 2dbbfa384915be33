"""The truth about rules is the fold of the log, whatever moderators did and in whatever order."""

from collections.abc import Callable
from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infra.clock import milliseconds
from infra.errors import FootlightError
from realtime.entries import User
from realtime.moderation.bodies import (
    Ban,
    ChangeSettings,
    Command,
    MakeModerator,
    MakeVip,
    Shield,
    Timeout,
    Unban,
    Undo,
    Warn,
)
from realtime.moderation.truth import MOST_CHANGES
from realtime.room.rules import Rules, patched
from tests.realtime.moderation.stage import Stage

Make = Callable[[User, str], Command]
COMMANDS: list[Make] = [
    lambda user, _: Ban(stream_id="", user_id=user.id),
    lambda user, _: Timeout(stream_id="", user_id=user.id, seconds=5),
    lambda user, _: Timeout(stream_id="", user_id=user.id, seconds=600),
    lambda user, _: Unban(stream_id="", user_id=user.id),
    lambda user, _: Warn(stream_id="", user_id=user.id, reason="x"),
    lambda user, _: MakeVip(stream_id="", user_id=user.id),
    lambda user, _: MakeModerator(stream_id="", user_id=user.id),
    lambda user, _: MakeModerator(stream_id="", user_id=user.id, on=False),
    lambda _, __: ChangeSettings(stream_id="", slow_seconds=30),
    lambda _, __: ChangeSettings(stream_id="", slow_seconds=0, emote_only=True),
    lambda _, __: Shield(stream_id="", on=True),
    lambda _, __: Shield(stream_id="", on=False),
    lambda _, action_id: Undo(stream_id="", action_id=action_id),
]
STEPS = st.lists(
    st.tuples(st.integers(0, len(COMMANDS) - 1), st.integers(0, 1), st.sampled_from([0.0, 3.0, 11.0])), max_size=20
)


def in_force(rules: Rules, now: int) -> dict[str, Any]:
    """Rules without sanctions that are over, as JSON has them."""
    kept = {user: one for user, one in rules.sanctions.items() if one.until is None or one.until > now}
    found: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(msgspec.structs.replace(rules, sanctions=kept)))
    return found


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
async def test_rules_are_the_fold_of_all_changes(stage: Stage, steps: list[tuple[int, int, float]]) -> None:
    cleo = await stage.person("Cleo", platform="creator")
    people = [await stage.person("Ada"), await stage.person("Ben")]
    action_id = "none"
    for number, who, seconds in steps:
        stage.clock.move(seconds)
        try:
            action_id = (await stage.act(cleo, cleo, COMMANDS[number](people[who], action_id))).action_id or ""
        except FootlightError:
            continue  # refused, as it may be
    truth, folded = await stage.truth.rules(cleo.id), Rules()
    for change in await stage.truth.after(cleo.id, 0):
        assert change.revision == folded.revision + 1
        folded = patched(folded, change)
    now = milliseconds(stage.clock())
    if folded.revision and not any(change.patch.private for change in await stage.truth.after(cleo.id, 0)):
        folded = msgspec.structs.replace(folded, private=truth.private)
    assert in_force(folded, now) == in_force(truth, now)


async def test_a_channel_that_never_decided_anything_has_the_first_rules(stage: Stage, cleo: User) -> None:
    for channel_id in (cleo.id, "nobody"):
        assert await stage.truth.rules(channel_id) == Rules()
        assert list(await stage.truth.after(channel_id, 0)) == []


async def test_changes_come_in_parts(stage: Stage, cleo: User) -> None:
    for number in range(MOST_CHANGES + 5):
        await stage.act(cleo, cleo, ChangeSettings(stream_id="", read_only=number % 2 == 0))
    first = await stage.truth.after(cleo.id, 0)
    rest = await stage.truth.after(cleo.id, first[-1].revision)
    assert [change.revision for change in (*first, *rest)] == list(range(1, MOST_CHANGES + 6))
    assert len(first) == MOST_CHANGES
