"""How rules lie in Redis: a hash for each kind, values a Lua function can read at a glance.

`sanctions`: user -> `<until in ms, 0 for good> <reason>`; `roles`: user -> role; `cautions`: user -> `<id> <reason>`.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from realtime.entries import RoomSettings
from realtime.room.rules import Caution, Patch, Private, Rules, Sanction

RULE_KEYS = ("rules", "bans", "roles", "cautions")


def sanction_text(sanction: Sanction) -> str:
    return f"{sanction.until or 0} {sanction.reason}"


def caution_text(caution: Caution) -> str:
    return f"{caution.id} {caution.reason}"


def caution_of(value: bytes) -> Caution:
    name, _, reason = value.decode().partition(" ")
    return Caution(id=name, reason=reason)


def _sanction_of(value: bytes) -> Sanction:
    until, _, reason = value.decode().partition(" ")
    return Sanction(until=int(until) or None, reason=reason)


def whole(rules: Rules) -> list[str | bytes | int]:
    """The arguments of `room_rules_put`."""
    sanctions = {user: sanction_text(one) for user, one in rules.sanctions.items()}
    cautions = {user: caution_text(one) for user, one in rules.cautions.items()}
    encode = msgspec.json.encode
    parts = (rules.settings, rules.private, sanctions, rules.roles, cautions)
    return [rules.revision, *map(encode, parts)]


def patch_arguments(patch: Patch) -> list[str | bytes]:
    """The patch as `room_control` takes it: name, first, second of each."""
    return [part for step in _steps(patch) for part in step]


def _steps(patch: Patch) -> Iterator[tuple[str, str | bytes, str]]:
    if patch.settings is not None:
        yield "settings", msgspec.json.encode(patch.settings), ""
    if patch.role is not None:
        yield "role", *patch.role
    if patch.sanction is not None:
        yield "sanction", patch.sanction[0], sanction_text(patch.sanction[1])
    if patch.lift is not None:
        yield "lift", patch.lift, ""
    if patch.caution is not None:
        yield "caution", patch.caution[0], caution_text(patch.caution[1])
    if patch.acknowledge is not None:
        yield "acknowledge", patch.acknowledge, ""
    if patch.private is not None:
        yield "private", msgspec.json.encode(patch.private), ""


def rules_of(answer: Sequence[Any]) -> Rules:
    """What `room_rules` answers, when it is not empty."""
    revision, settings, auto_slow, private, sanctions, roles, cautions = answer
    kept = msgspec.json.decode(settings, type=RoomSettings)
    return Rules(
        revision=revision,
        settings=msgspec.structs.replace(kept, auto_slow_seconds=auto_slow),
        roles=msgspec.convert({user: role.decode() for user, role in _pairs(roles).items()}, type=dict[str, Any]),
        sanctions={user: _sanction_of(value) for user, value in _pairs(sanctions).items()},
        cautions={user: caution_of(value) for user, value in _pairs(cautions).items()},
        private=msgspec.json.decode(private, type=Private),
    )


def _pairs(flat: Sequence[bytes]) -> Mapping[str, bytes]:
    return {flat[n].decode(): flat[n + 1] for n in range(0, len(flat), 2)}
