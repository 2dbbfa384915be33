"""What can go wrong with accounts, as sentences."""

from infra.errors import Conflict, Forbidden, Invalid, NotFound, TooMany, Unauthenticated, Unavailable


class FieldsInvalid(Invalid):
    """Carries `details.fields`: what is wrong with each field."""

    code = "request.invalid"
    message = "Some fields are not right yet."


class WeakPassword(Invalid):
    code = "account.weak_password"
    message = "Choose another password."


class EmailTaken(Conflict):
    code = "account.email_taken"
    message = "There is an account with this e-mail already. Sign in instead."


class AccountNotFound(NotFound):
    code = "account.not_found"
    message = "There is no such account."


class WrongCredentials(Unauthenticated):
    """The same answer for an unknown e-mail and a wrong password."""

    code = "auth.wrong_credentials"
    message = "E-mail or password is wrong."


class WrongPassword(Forbidden):
    code = "auth.wrong_password"
    message = "The current password is wrong."


class TooManyAttempts(TooMany):
    code = "auth.too_many_attempts"
    message = "Too many failed attempts. Wait a little, then try again."


class TokenInvalid(Unauthenticated):
    """Not a token of ours, not an access token, altered, or signed with a key that is gone."""

    code = "auth.token_invalid"
    message = "This access token is not valid. Sign in again."


class TokenExpired(Unauthenticated):
    code = "auth.token_expired"
    message = "This access token has expired. Refresh it."


class SessionOver(Unauthenticated):
    """Signed out, expired, revoked, or a refresh token that is not one of ours."""

    code = "auth.session_over"
    message = "This sign-in is over. Sign in again."


class PasswordsBusy(Unavailable):
    """More people sign in at this moment than we can hash passwords for."""

    code = "auth.busy"
    message = "Many people are signing in just now. Try again in a moment."
