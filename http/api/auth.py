"""Sign-up, sign-in and the own account, under `/auth`. The rules are in `accounts/`; cookies are made here."""

from typing import Annotated, Literal

import msgspec
from litestar import Controller, Response, get, patch, post
from litestar.datastructures import Cookie
from litestar.di import NamedDependency
from litestar.openapi.spec import Example
from litestar.params import Body
from msgspec import UNSET, Meta, UnsetType

from accounts.accounts import Accounts
from accounts.cookies import ACCESS_COOKIE, REFRESH_COOKIE, read_cookies
from accounts.errors import (
    EmailTaken,
    PasswordsBusy,
    SessionOver,
    TokenExpired,
    TokenInvalid,
    TooManyAttempts,
    WeakPassword,
    WrongCredentials,
    WrongPassword,
)
from accounts.model import Identity, SignIn, User
from api.errors import AnyRequest, problems
from api.identity import signed_in
from infra.errors import Invalid, Unauthenticated

REFRESH_PATH = "/api/v1/auth"
NO_STORE = {"cache-control": "no-store"}
NEEDS_USER = (Unauthenticated, TokenInvalid, TokenExpired, SessionOver)
KNOWN_USER: list[dict[str, list[str]]] = [{"bearer": []}, {"cookie": []}]  # OpenAPI: either of these

Email = Annotated[str, Meta(max_length=254)]
Password = Annotated[str, Meta(max_length=128)]
DisplayName = Annotated[str, Meta(max_length=40)]


class SignUp(msgspec.Struct, forbid_unknown_fields=True):
    email: Email
    password: Password
    display_name: DisplayName


class Login(msgspec.Struct, forbid_unknown_fields=True):
    email: Email
    password: Password


class Refresh(msgspec.Struct, forbid_unknown_fields=True):
    """For clients without cookies."""

    refresh_token: Annotated[str, Meta(max_length=512)]


class Profile(msgspec.Struct, forbid_unknown_fields=True):
    """Only what is named changes; a `chat_color` of null is none."""

    display_name: DisplayName | UnsetType = UNSET
    chat_color: Annotated[str, Meta(max_length=20)] | UnsetType | None = UNSET


class PasswordChange(msgspec.Struct, forbid_unknown_fields=True):
    current_password: Password
    new_password: Password


class Confirmation(msgspec.Struct, forbid_unknown_fields=True):
    password: Password


class Session(msgspec.Struct, frozen=True):
    """A fresh access token and whose it is. The refresh token travels in its cookie only."""

    access_token: str
    expires_in: int
    user: User
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 - the kind of token, not one


def example(fields: dict[str, str]) -> list[Example]:
    return [Example(summary="as a person would send it", value=fields)]


class AuthController(Controller):
    path = "/auth"
    tags = ("Accounts",)
    response_headers = NO_STORE

    @post(
        "/signup",
        operation_id="signUp",
        summary="Make an account and sign in",
        responses=problems(WeakPassword, EmailTaken, PasswordsBusy, body=True),
    )
    async def sign_up(
        self,
        data: Annotated[
            SignUp,
            Body(
                examples=example({"email": "ada@example.com", "password": "seven green kites", "display_name": "Ada"})
            ),
        ],
        accounts: NamedDependency[Accounts],
    ) -> Response[Session]:
        return signed(await accounts.sign_up(data.email, data.password, data.display_name), status=201)

    @post(
        "/login",
        status_code=200,
        operation_id="signIn",
        summary="Sign in",
        responses=problems(WrongCredentials, TooManyAttempts, PasswordsBusy, body=True),
    )
    async def sign_in(
        self,
        data: Annotated[Login, Body(examples=example({"email": "ada@example.com", "password": "seven green kites"}))],
        accounts: NamedDependency[Accounts],
        client_address: NamedDependency[str],
    ) -> Response[Session]:
        return signed(await accounts.sign_in(data.email, data.password, client_address))

    @post(
        "/refresh",
        status_code=200,
        operation_id="refreshSession",
        summary="Trade the refresh token for a fresh pair",
        security=[{"refreshCookie": []}, {}],
        responses=problems(SessionOver, body=True),
    )
    async def refresh(
        self,
        request: AnyRequest,
        accounts: NamedDependency[Accounts],
        data: Annotated[Refresh | None, Body(description="Only for clients without cookies.")] = None,
    ) -> Response[Session]:
        token = data.refresh_token if data else sent_refresh_token(request)
        return signed(await accounts.refresh(token))

    @post(
        "/logout",
        status_code=204,
        operation_id="signOut",
        summary="End this sign-in everywhere",
        security=[*KNOWN_USER, {"refreshCookie": []}, {}],
        responses=problems(),
    )
    async def sign_out(
        self,
        request: AnyRequest,
        accounts: NamedDependency[Accounts],
        maybe_identity: NamedDependency[Identity | None],
    ) -> Response[None]:
        await accounts.sign_out(maybe_identity, sent_refresh_token(request))
        return Response(None, status_code=204, cookies=[access_cookie("", 0), refresh_cookie("", 0)])

    @get(
        "/me",
        guards=[signed_in],
        operation_id="getMe",
        summary="The own account",
        security=KNOWN_USER,
        responses=problems(*NEEDS_USER),
    )
    async def me(self, accounts: NamedDependency[Accounts], identity: NamedDependency[Identity]) -> User:
        return await accounts.me(identity)

    @patch(
        "/me",
        guards=[signed_in],
        operation_id="changeMe",
        summary="Change the display name or the colour of it in chat",
        security=KNOWN_USER,
        responses=problems(*NEEDS_USER, body=True),
    )
    async def change(
        self,
        data: Annotated[Profile, Body(examples=example({"display_name": "Ada L.", "chat_color": "#2b9348"}))],
        accounts: NamedDependency[Accounts],
        identity: NamedDependency[Identity],
    ) -> User:
        if data.display_name is UNSET and data.chat_color is UNSET:
            raise Invalid(fields={"body": "names nothing to change"})
        return await accounts.change_profile(
            identity.user_id, display_name=data.display_name, chat_color=data.chat_color
        )

    @post(
        "/password",
        status_code=200,
        guards=[signed_in],
        operation_id="changePassword",
        summary="Change the password; every other sign-in is over",
        security=KNOWN_USER,
        responses=problems(*NEEDS_USER, WeakPassword, WrongPassword, TooManyAttempts, PasswordsBusy, body=True),
    )
    async def change_password(
        self,
        data: Annotated[
            PasswordChange,
            Body(examples=example({"current_password": "seven green kites", "new_password": "eight blue kettles"})),
        ],
        accounts: NamedDependency[Accounts],
        identity: NamedDependency[Identity],
        client_address: NamedDependency[str],
    ) -> Response[Session]:
        return signed(
            await accounts.change_password(identity, data.current_password, data.new_password, client_address)
        )

    @post(
        "/confirm",
        status_code=204,
        guards=[signed_in],
        operation_id="confirmPassword",
        summary="Show who one is once more, for what asks for a fresh sign-in",
        security=KNOWN_USER,
        responses=problems(*NEEDS_USER, WrongPassword, TooManyAttempts, PasswordsBusy, body=True),
    )
    async def confirm(
        self,
        data: Annotated[Confirmation, Body(examples=example({"password": "seven green kites"}))],
        accounts: NamedDependency[Accounts],
        identity: NamedDependency[Identity],
        client_address: NamedDependency[str],
    ) -> None:
        await accounts.confirm_password(identity, data.password, client_address)

    @post(
        "/creator",
        status_code=200,
        guards=[signed_in],
        operation_id="becomeCreator",
        summary="Become a creator",
        security=KNOWN_USER,
        responses=problems(*NEEDS_USER),
    )
    async def become_creator(
        self, accounts: NamedDependency[Accounts], identity: NamedDependency[Identity]
    ) -> Response[Session]:
        return signed(await accounts.become_creator(identity))


def signed(sign_in: SignIn, *, status: int = 200) -> Response[Session]:
    """The answer to every way of signing in, with its cookies."""
    cookies = [access_cookie(sign_in.access_token, sign_in.access_seconds)]
    if sign_in.refresh_token:
        cookies.append(refresh_cookie(sign_in.refresh_token, sign_in.refresh_seconds))
    body = Session(sign_in.access_token, sign_in.access_seconds, sign_in.user)
    return Response(body, status_code=status, cookies=cookies)


def sent_refresh_token(request: AnyRequest) -> str:
    """The refresh cookie as the gateway reads it, which has checked where the request comes from; or ''."""
    return read_cookies(request.headers.getall("cookie", [])).get(REFRESH_COOKIE, "")


def access_cookie(value: str, seconds: int) -> Cookie:
    """`__Host-` makes browsers insist on Secure, Path=/ and no Domain, also when it is taken back (0 seconds)."""
    return Cookie(ACCESS_COOKIE, path="/", value=value, max_age=seconds, secure=True, httponly=True, samesite="lax")


def refresh_cookie(value: str, seconds: int) -> Cookie:
    return Cookie(
        REFRESH_COOKIE, path=REFRESH_PATH, value=value, max_age=seconds, secure=True, httponly=True, samesite="strict"
    )
