"""The cookies of a sign-in: what they are called, and how they are read.

One reader for HTTP and sockets, and it drops nothing: a reader that stops at something odd (`x; __Secure-refresh=...`,
JSON in the cookie of another application) finds no cookie where the next one finds it, and a check made on what the
first one saw is no check.
"""

from collections.abc import Iterable

ACCESS_COOKIE = "__Host-access"
REFRESH_COOKIE = "__Secure-refresh"


def read_cookies(fields: Iterable[str]) -> dict[str, str]:
    """Name and value of every cookie in the `Cookie` headers of a request; of two with one name the first counts."""
    cookies: dict[str, str] = {}
    for pair in ";".join(fields).split(";"):
        name, equals, value = pair.partition("=")
        if equals:
            cookies.setdefault(name.strip(), _unquoted(value.strip()))
    return cookies


def _unquoted(value: str) -> str:
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] == '"' else value
