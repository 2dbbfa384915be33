"""The cookies that open the edge, for clients that are no browsers."""

from collections.abc import Iterable


def cookie_of(set_cookies: Iterable[str]) -> str:
    """What a browser would send: it takes cookies for secure connections from localhost too, which no library does."""
    return "; ".join(each.partition(";")[0] for each in set_cookies)
