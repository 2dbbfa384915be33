"""Which passwords are allowed, after NIST SP 800-63B: long enough, not a common one, not about the account. Pure.

No rules about kinds of characters: they make passwords harder to remember, not to guess.
"""

import string
import unicodedata
from functools import cache

MIN_CHARACTERS, MAX_CHARACTERS = 8, 128
_ENDS = string.digits + string.punctuation + string.whitespace


@cache
def common_passwords() -> frozenset[str]:
    """The 30,000 most used ones of leaked lists, lower case. The first call takes about 50 ms."""
    from zxcvbn.frequency_lists import FREQUENCY_LISTS  # noqa: PLC0415 - 10 MB that most processes never need

    return frozenset(FREQUENCY_LISTS["passwords"])


def normalise_password(password: str) -> str:
    """The same characters, whichever keyboard composed them."""
    return unicodedata.normalize("NFKC", password)


def weakness(password: str, *, email: str, display_name: str) -> str | None:
    """What is wrong with a normalised password, or None."""
    if len(password) < MIN_CHARACTERS:
        return f"must have at least {MIN_CHARACTERS} characters"
    if len(password) > MAX_CHARACTERS:
        return f"must have at most {MAX_CHARACTERS} characters"
    folded = password.lower()
    if folded in common_passwords() or len(set(folded)) == 1:
        return "is one of the most used passwords, so it is tried first"
    told = {email.lower(), email.partition("@")[0].lower(), display_name.lower(), "footlight"}
    if folded in told or folded.strip(_ENDS) in told:
        return "must not be your e-mail, your name or ours"
    return None
