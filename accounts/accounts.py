"""Accounts: sign-up, sign-in, sessions and the own profile. The one door to this domain.

Two stores take part. PostgreSQL has the truth about people, Redis about who is signed in. Redis is changed inside the
transaction, when everything else is written, the events too: when one of the two fails before that, nothing happened.
Only a commit that fails comes too late; then somebody has to sign in again, and trying again tells the platform.
Every method raises `infra.errors.Unavailable` when one of them does not answer.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from accounts import password_rules, repository, roles, tokens
from accounts.colors import normalise_color
from accounts.errors import (
    AccountNotFound,
    EmailTaken,
    FieldsInvalid,
    SessionOver,
    TokenInvalid,
    WeakPassword,
    WrongCredentials,
    WrongPassword,
)
from accounts.events import ProfileChanged, SessionsRevoked
from accounts.keys import Keys
from accounts.model import Identity, Role, SignIn, Tier, User
from accounts.password_rules import normalise_password
from accounts.passwords import Passwords
from accounts.profile import NotAcceptable, normalise_email, normalise_name
from accounts.refresh_tokens import RefreshToken, RefreshTokens
from accounts.sessions import MOST_PER_USER, RefreshReused, Sessions, Standing
from accounts.throttle import Throttle
from infra.clock import Clock, new_id, system_clock
from infra.events import Event
from infra.logs import get_logger
from infra.outbox import Outbox
from infra.stores.postgres import Connection, Postgres

FRESH = timedelta(minutes=10)  # how long a password that was asked for counts for what is dangerous

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Tokens:
    """How this installation makes both kinds of tokens."""

    keys: Keys
    refresh: RefreshTokens
    issuer: str
    access_life: timedelta


@dataclass(frozen=True, slots=True)
class _Change:
    """A transaction, and what the platform hears when it is committed. Tell first, then change Redis."""

    connection: Connection
    outbox: Outbox
    told: list[Event] = field(default_factory=list)

    async def tell(self, event: Event) -> None:
        await self.outbox.add(self.connection, event)
        self.told.append(event)


class Accounts:
    """Who people are."""

    def __init__(
        self,
        *,
        db: Postgres,
        sessions: Sessions,
        throttle: Throttle,
        passwords: Passwords,
        tokens: Tokens,
        outbox: Outbox,
        clock: Clock = system_clock,
    ) -> None:
        self._db = db
        self._sessions = sessions
        self._throttle = throttle
        self._passwords = passwords
        self._tokens = tokens
        self._outbox = outbox
        self._clock = clock

    # --- who is asking

    async def identify(self, access_token: str) -> Identity:
        """The owner of an access token, as of now; one round trip to Redis.

        Raises `TokenInvalid`, `TokenExpired` or `SessionOver` (all `Unauthenticated`).
        """
        key = await self._tokens.keys.find(tokens.key_id(access_token))
        if key is None:
            raise TokenInvalid
        claims = tokens.verify(access_token, key.public, issuer=self._tokens.issuer)
        standing = await self._sessions.standing(claims.sub, claims.sid, self._clock())
        return Identity(
            user_id=claims.sub,
            display_name=standing.display_name,
            role=standing.role,
            subscription_tier=standing.tier,
            session_id=claims.sid,
            expires_at=claims.expires_at,
            chat_color=standing.color,
            channels=standing.channels,
        )

    async def present(self, identities: Sequence[Identity]) -> list[Identity | None]:
        """Who they are by now, in their order; None for those whose sign-in is over. Raises `Unavailable`."""
        sign_ins = [(identity.user_id, identity.session_id) for identity in identities]
        standings = await self._sessions.standings(sign_ins, self._clock())
        return [_as_of_now(*pair) for pair in zip(identities, standings, strict=True)]

    async def me(self, identity: Identity) -> User:
        async with self._db.connection() as connection:
            return _existing(await repository.find(connection, identity.user_id))

    async def public_keys(self) -> list[dict[str, Any]]:
        """The JSON Web Keys that verify our access tokens."""
        return await self._tokens.keys.public_set()

    # --- signing up, in and out

    async def sign_up(self, email: str, password: str, display_name: str) -> SignIn:
        """Make an account. Raises `FieldsInvalid`, `WeakPassword`, `EmailTaken`."""
        email, display_name = _profile_fields(email, display_name)
        password = await self._acceptable(password, "password", email, display_name)
        async with self._db.connection() as connection:
            if await repository.find_by_email(connection, email):
                raise EmailTaken
        user = User(
            id=new_id(), email=email, display_name=display_name, role="free", subscription_tier="free",
            created_at=self._clock(),
        )  # fmt: skip
        password_hash = await self._passwords.hash(password)
        async with self._change() as change:
            if not await repository.insert(change.connection, user, password_hash):
                raise EmailTaken
            return await self._begin(change, user)

    async def sign_in(self, email: str, password: str, address: str) -> SignIn:
        """Raises `WrongCredentials` for an unknown e-mail and a wrong password alike, `TooManyAttempts`."""
        account = _account_name(email)
        await self._throttle.attempt(account, address)
        async with self._db.connection() as connection:
            known = await repository.credentials(connection, account)
        user_id, stored = known or ("", None)
        checked = await self._passwords.check(stored, normalise_password(password))
        if stored is None or not checked.fits:
            raise WrongCredentials
        async with self._change() as change:
            # The password may have been changed since it was read; a sign-in with the old one must not outlive that.
            if checked.better_hash:
                user = await repository.set_password(
                    change.connection, user_id, stored, checked.better_hash, self._clock()
                )
            else:
                user = await repository.hold(change.connection, user_id, password_hash=stored)
            if user is None:
                raise WrongCredentials
            signed = await self._begin(change, user)
        await self._throttle.forgive(account, address)
        return signed

    async def refresh(self, refresh_token: str) -> SignIn:
        """Trade a refresh token for its successor and a new access token.

        Raises `SessionOver`. A token that was traded before ends the whole sign-in, sockets included, but for a
        short grace in which it gets the same successor again.
        """
        presented = self._tokens.refresh.read(refresh_token)
        now = self._clock()
        try:
            async with self._db.transaction() as connection:
                user = await repository.hold(connection, presented.user_id)
                if user is None:
                    raise SessionOver
                rotated = await self._sessions.rotate(user, presented.session_id, presented.generation, now)
        except RefreshReused:
            log.error("accounts.refresh_reused", user_id=presented.user_id, session_id=presented.session_id)
            await self._end(presented.user_id, presented.session_id, "a refresh token was used twice")
            raise
        return await self._signed(user, presented.session_id, rotated.generation, rotated.ends)

    async def sign_out(self, identity: Identity | None, refresh_token: str = "") -> None:
        """End the sign-in of either token, everywhere. Fine when it is over already."""
        ending = {(identity.user_id, identity.session_id)} if identity else set()
        try:
            presented = self._tokens.refresh.read(refresh_token)
            ending.add((presented.user_id, presented.session_id))
        except SessionOver:
            pass  # no token, or none of ours: nothing more to end
        for user_id, session_id in ending:
            await self._end(user_id, session_id, "signed out")

    # --- the own account

    async def rename(self, identity: Identity, display_name: str) -> User:
        """Change the display name, on open sockets as well. Raises `FieldsInvalid`."""
        return await self.change_profile(identity.user_id, display_name=display_name)

    async def set_chat_color(self, user_id: str, color: str | None) -> User:
        """Change the colour of the name in chat, on open sockets as well; None takes it back.

        `color` is `#rrggbb` or a name of `accounts.colors.NAMED`. Raises `FieldsInvalid`.
        """
        return await self.change_profile(user_id, chat_color=color)

    async def change_profile(
        self, user_id: str, *, display_name: str | UnsetType = UNSET, chat_color: str | UnsetType | None = UNSET
    ) -> User:
        """Change what is given, all of it or nothing. Raises `FieldsInvalid` with everything that is wrong."""
        wanted = _checked(
            ({"display_name": (normalise_name, display_name)} if isinstance(display_name, str) else {})
            | ({"chat_color": (normalise_color, chat_color)} if isinstance(chat_color, str) else {})
        )
        async with self._change() as change:
            user = _existing(await repository.lock(change.connection, user_id))
            before = user
            if name := wanted.get("display_name"):
                user = _existing(await repository.set_name(change.connection, user_id, name, self._clock()))
            if chat_color is not UNSET:
                color = wanted.get("chat_color")
                user = _existing(await repository.set_color(change.connection, user_id, color, self._clock()))
            if user != before:
                await self._tell_profile(change, user)
        return user

    async def change_password(self, identity: Identity, current: str, new: str, address: str) -> SignIn:
        """End every sign-in and begin a new one. Raises `WrongPassword`, `WeakPassword`, `TooManyAttempts`."""
        user, stored = await self._confirmed(identity, current, address)
        new = await self._acceptable(new, "new_password", user.email, user.display_name)
        new_hash = await self._passwords.hash(new)
        async with self._change() as change:
            changed = await repository.set_password(change.connection, user.id, stored, new_hash, self._clock())
            if changed is None:
                raise WrongPassword
            # Nobody signs in meanwhile: the row of the user is locked.
            await change.tell(
                self._revoked(user.id, await self._sessions.standing_ids(user.id), "the password was changed")
            )
            await self._sessions.close_all(user.id)
            return await self._begin(change, changed)

    async def confirm_password(self, identity: Identity, password: str, address: str) -> None:
        """Make this sign-in a fresh one again. Raises `WrongPassword`, `TooManyAttempts`."""
        await self._confirmed(identity, password, address)
        await self._sessions.freshen(identity.user_id, identity.session_id, FRESH)

    async def is_fresh(self, identity: Identity) -> bool:
        """Whether the password of this sign-in was asked for within `FRESH`."""
        return await self._sessions.is_fresh(identity.user_id, identity.session_id, self._clock(), FRESH)

    async def become_creator(self, identity: Identity) -> SignIn:
        """Give the role `creator` (an admin stays one) and a new access token of the same sign-in."""
        async with self._change() as change:
            user = _existing(await repository.lock(change.connection, identity.user_id))
            role = roles.as_creator(user.role)
            if role != user.role:
                user = await self._set_role(change, user, role)
        return await self._signed(user, identity.session_id)

    async def grant(self, email: str, role: Role) -> User:
        """For operators: give an account any role. Raises `AccountNotFound`."""
        async with self._change() as change:
            found = await repository.find_by_email(change.connection, _account_name(email))
            user = await repository.lock(change.connection, found.id) if found else None
            if user is None:
                raise AccountNotFound
            return await self._set_role(change, user, role)

    # --- what payments say

    async def hold(self, connection: Connection, user_id: str) -> bool:
        """Until the transaction ends nobody else changes this user; False when there is none."""
        return await repository.lock(connection, user_id) is not None

    async def entitle(self, connection: Connection, user_id: str, tier: Tier, channels: dict[str, int]) -> bool:
        """What they paid for, in the caller's transaction; sessions and open sockets follow. Whether it was news.

        Call it last, after `hold`, and nudge the outbox after the commit. `tier` is what payments give: whom an
        operator granted premium keeps it. Raises `AccountNotFound`.
        """
        user = await repository.lock(connection, user_id)
        if user is None:
            raise AccountNotFound
        changed = await repository.set_rights(connection, user_id, tier, channels, self._clock())
        if changed is None or changed == user:
            # A transaction that failed at its end may have left sessions ahead of what is written.
            await self._sessions.take_over(user)
            return False
        await self._tell_profile(_Change(connection, self._outbox), changed)
        return True

    # --- pieces

    async def _confirmed(self, identity: Identity, password: str, address: str) -> tuple[User, str]:
        """The user and the hash that the password fits. Raises `WrongPassword`, `TooManyAttempts`."""
        await self._throttle.attempt(identity.user_id, address)
        async with self._db.connection() as connection:
            user = _existing(await repository.find(connection, identity.user_id))
            stored = await repository.password_hash(connection, identity.user_id)
        if stored is None or not (await self._passwords.check(stored, normalise_password(password))).fits:
            raise WrongPassword
        await self._throttle.forgive(identity.user_id, address)
        return user, stored

    @asynccontextmanager
    async def _change(self) -> AsyncIterator[_Change]:
        async with self._db.transaction() as connection:
            change = _Change(connection, self._outbox)
            yield change
        if change.told:
            self._outbox.nudge()

    async def _begin(self, change: _Change, user: User) -> SignIn:
        session_id, reason = new_id(), "signed in too often elsewhere"
        if surplus := (await self._sessions.standing_ids(user.id))[: 1 - MOST_PER_USER]:
            await change.tell(self._revoked(user.id, surplus, reason))
            await self._sessions.close(user.id, surplus)
        if dropped := await self._sessions.open(user, session_id, self._clock()):  # another sign-in came in between
            await change.tell(self._revoked(user.id, dropped, reason))
        return await self._signed(user, session_id, 1, self._clock() + self._sessions.life)

    async def _end(self, user_id: str, session_id: str, reason: str) -> None:
        async with self._change() as change:
            await change.tell(self._revoked(user_id, [session_id], reason))
            await self._sessions.close(user_id, [session_id])

    async def _set_role(self, change: _Change, user: User, role: Role) -> User:
        granted = roles.granted_tier(role)
        changed = _existing(await repository.set_role(change.connection, user.id, role, granted, self._clock()))
        await self._tell_profile(change, changed)
        return changed

    async def _tell_profile(self, change: _Change, user: User) -> None:
        await change.tell(
            ProfileChanged(
                at=self._clock(), user_id=user.id, display_name=user.display_name, role=user.role,
                subscription_tier=user.subscription_tier, chat_color=user.chat_color, channels=user.channels,
            )
        )  # fmt: skip
        await self._sessions.take_over(user)

    async def _signed(
        self, user: User, session_id: str, generation: int | None = None, ends: datetime | None = None
    ) -> SignIn:
        """Both tokens, or the access token alone when no `generation` is given. No token outlives its sign-in."""
        now, life = self._clock(), self._tokens.access_life
        left = ends - now if ends else life
        key = await self._tokens.keys.signing()
        access = tokens.issue(
            key.private, key.kid, issuer=self._tokens.issuer, user_id=user.id, session_id=session_id, now=now,
            life=min(life, left),
        )  # fmt: skip
        refresh = self._tokens.refresh.write(RefreshToken(user.id, session_id, generation)) if generation else None
        return SignIn(
            user=user, access_token=access, access_seconds=int(min(life, left).total_seconds()),
            refresh_token=refresh, refresh_seconds=round(left.total_seconds()) if refresh else 0,
        )  # fmt: skip

    async def _acceptable(self, password: str, name: str, email: str, display_name: str) -> str:
        """The normalised password; `WeakPassword` when it breaks a rule."""
        normalised = normalise_password(password)
        weakness = await asyncio.to_thread(  # the first call reads the list of common ones
            password_rules.weakness, normalised, email=email, display_name=display_name
        )
        if weakness:
            raise WeakPassword(fields={name: weakness})
        return normalised

    def _revoked(self, user_id: str, session_ids: list[str], reason: str) -> SessionsRevoked:
        return SessionsRevoked(at=self._clock(), user_id=user_id, session_ids=session_ids, reason=reason)


def _as_of_now(identity: Identity, standing: Standing | None) -> Identity | None:
    if standing is None:
        return None
    return msgspec.structs.replace(
        identity,
        display_name=standing.display_name,
        role=standing.role,
        subscription_tier=standing.tier,
        chat_color=standing.color,
    )


def _existing(user: User | None) -> User:
    if user is None:
        raise SessionOver  # the account was deleted while its token lived
    return user


def _account_name(email: str) -> str:
    """How an account is looked up and counted; something that is no address simply finds nobody."""
    try:
        return normalise_email(email)
    except NotAcceptable:
        return ""


def _profile_fields(email: str, display_name: str) -> tuple[str, str]:
    fields = _checked({"email": (normalise_email, email), "display_name": (normalise_name, display_name)})
    return fields["email"], fields["display_name"]


def _checked(fields: dict[str, tuple[Any, str]]) -> dict[str, str]:
    """Normalise each field, and report all that is wrong at once."""
    good, bad = {}, {}
    for name, (normalise, value) in fields.items():
        try:
            good[name] = normalise(value)
        except NotAcceptable as reason:
            bad[name] = str(reason)
    if bad:
        raise FieldsInvalid(fields=bad)
    return good
