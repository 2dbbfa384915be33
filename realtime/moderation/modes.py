"""Deciding over a channel's modes: settings and the shield. Each under the channel's lock.

`before` and `after` in the log name only what changed, so that undoing one change leaves the others alone.
"""

from typing import Any

import msgspec
from msgspec import UNSET

from infra.errors import Invalid
from realtime.entries import RoomSettings, SettingsChanged
from realtime.moderation import repository, words
from realtime.moderation.bodies import ChangeSettings, Shield
from realtime.moderation.deeds import Deed, Values
from realtime.moderation.errors import AlreadySo
from realtime.moderation.repository import ShieldBefore
from realtime.moderation.scene import Outcome, Scene
from realtime.room.rules import Patch, Private

LEAST_SLOW_SECONDS, MOST_SLOW_SECONDS = 3, 120
MOST_FOLLOWERS_SECONDS = 7_776_000  # 90 days
SHIELD_FOLLOWERS_SECONDS = 600
SHIELD_SLOW_SECONDS = 30
SHIELD_LEVEL = 4
SHIELD_ACCOUNT_AGE_SECONDS = 604_800  # a week

SWITCHES = {
    "subscribers_only": "subscribers-only",
    "emote_only": "emote-only",
    "unique_chat": "unique chat",
    "read_only": "read-only",
    "shield": "the shield",
}


PAID_MODES = {"open": "on", "held": "looked at first", "off": "off"}


def named(command: ChangeSettings) -> Values:
    """What the command changes; raises `Invalid` for what cannot be."""
    wanted = msgspec.structs.asdict(command)
    del wanted["stream_id"]
    values = {name: value for name, value in wanted.items() if value is not UNSET}
    slow = values.get("slow_seconds", 0)
    if slow and not LEAST_SLOW_SECONDS <= slow <= MOST_SLOW_SECONDS:
        raise Invalid(fields={"slow_seconds": f"is 0 or {LEAST_SLOW_SECONDS} to {MOST_SLOW_SECONDS}"})
    followers = values.get("followers_seconds")
    if followers is not None and not 0 <= followers <= MOST_FOLLOWERS_SECONDS:
        raise Invalid(fields={"followers_seconds": f"is 0 to {MOST_FOLLOWERS_SECONDS}, or null"})
    return values


def differences(old: Any, new: Any) -> tuple[Values, Values]:
    """What differs between two structs of a kind: `(before, after)`."""
    before, after = msgspec.structs.asdict(old), msgspec.structs.asdict(new)
    changed = [name for name in after if before[name] != after[name]]
    return {name: before[name] for name in changed}, {name: after[name] for name in changed}


def in_words(after: Values) -> str:
    """What is different now, as the middle of a sentence."""
    said = [f"{name} {'on' if after[key] else 'off'}" for key, name in SWITCHES.items() if key in after]
    if "paid_messages" in after:
        said.append(f"paid messages {PAID_MODES[after['paid_messages']]}")
    if "slow_seconds" in after:
        slow = after["slow_seconds"]
        said.append(f"slow mode {words.duration(slow)}" if slow else "slow mode off")
    if "followers_seconds" in after:
        said.append(_followers(after["followers_seconds"]))
    if "delay_seconds" in after:
        delay = after["delay_seconds"]
        said.append(f"a delay of {words.duration(delay)}" if delay else "no delay")
    return ", ".join(said)


def _followers(seconds: int | None) -> str:
    if seconds is None:
        return "followers-only off"
    return f"followers-only after {words.duration(seconds)}" if seconds else "followers-only on"


def settings_deed(scene: Scene, action: str, settings: RoomSettings, *, private: bool = False, **more: Any) -> Deed:
    """A deed that makes these the settings; raises `AlreadySo` when nothing is different."""
    before, after = differences(scene.channel.settings, settings)
    if not after:
        raise AlreadySo
    entry = None
    if scene.stream_id is not None:
        entry = SettingsChanged(offset=0, stream_id=scene.stream_id, id=scene.id, at=scene.at, settings=settings)
    patch = Patch(settings=settings, private=Private() if private else None)
    return scene.deed(action, **{"before": before, "after": after, "entry": entry, "patch": patch, **more})


async def change_settings(scene: Scene, command: ChangeSettings) -> Outcome:
    settings = msgspec.structs.replace(scene.channel.settings, **named(command))
    deed = settings_deed(scene, "settings", settings)
    return Outcome([deed], f"Changed: {in_words(deed.after or {})}.")


async def shield(scene: Scene, command: Shield) -> Outcome:
    if command.on == scene.channel.settings.shield:
        raise AlreadySo
    if command.on:
        return Outcome([await raise_shield(scene)], "The shield is up: this chat is at its strictest.")
    return Outcome([await lower_shield(scene)], "The shield is down: everything is as it was before.")


async def raise_shield(scene: Scene, action: str = "shield", **more: Any) -> Deed:
    """The strictest of everything, remembering what was. Where it is stricter already, that stays."""
    channel, old = scene.channel, scene.channel.settings
    before = ShieldBefore(settings=old, automod=channel.automod)
    settings = msgspec.structs.replace(
        old,
        shield=True,
        followers_seconds=max(old.followers_seconds or 0, SHIELD_FOLLOWERS_SECONDS),
        slow_seconds=max(old.slow_seconds, SHIELD_SLOW_SECONDS),
        unique_chat=True,
    )
    age = max(channel.automod.get("account_age_seconds") or 0, SHIELD_ACCOUNT_AGE_SECONDS)
    strict = {"level": SHIELD_LEVEL, "account_age_seconds": age}  # without the exceptions a channel made of its level
    await repository.set_shield_before(scene.connection, channel.id, before)
    await repository.set_automod(scene.connection, channel.id, strict)
    return settings_deed(scene, action, settings, private=True, **more)


async def lower_shield(scene: Scene, action: str = "shield", **more: Any) -> Deed:
    """Everything as it was when it went up."""
    channel = scene.channel
    before = channel.shield_before or ShieldBefore(settings=RoomSettings(), automod=channel.automod)
    await repository.set_shield_before(scene.connection, channel.id, None)
    await repository.set_automod(scene.connection, channel.id, before.automod)
    settings = msgspec.structs.replace(before.settings, shield=False)
    return settings_deed(scene, action, settings, private=True, **more)
