"""E-mail addresses and display names: one spelling for each, or what is wrong with it. Pure."""

import re
import unicodedata

MAX_EMAIL = 254  # RFC 5321, section 4.5.3.1.3, less the angle brackets
MAX_NAME = 40

# ASCII before the @: look-alikes of other scripts must not become a second account that reads the same.
_LOCAL = re.compile(r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
_JOINERS = "\u200c\u200d"  # emoji and several scripts need them


class NotAcceptable(ValueError):
    """Says what is wrong, for the field's error."""


def normalise_email(text: str) -> str:
    """Trimmed, NFKC, lower case, the domain in its ASCII form; normalising again changes nothing."""
    local, at, domain = unicodedata.normalize("NFKC", text).strip().lower().rpartition("@")
    if not at or len(local) > 64 or not _LOCAL.fullmatch(local):
        raise NotAcceptable("is not an e-mail address")
    email = f"{local}@{_ascii_domain(domain)}"
    if len(email) > MAX_EMAIL:
        raise NotAcceptable(f"must have at most {MAX_EMAIL} characters")
    return email


def _ascii_domain(domain: str) -> str:
    try:
        labels = domain.encode("idna").decode("ascii").lower().split(".")
    except UnicodeError:
        labels = []
    if len(labels) < 2 or not all(len(label) <= 63 and _LABEL.fullmatch(label) for label in labels):
        raise NotAcceptable("is not an e-mail address")
    return ".".join(labels)


def normalise_name(text: str) -> str:
    """NFC with single spaces, 1 to 40 characters, at least one of them visible, none that hides or turns text."""
    name = " ".join(unicodedata.normalize("NFC", text).split())
    if not 1 <= len(name) <= MAX_NAME:
        raise NotAcceptable(f"must have 1 to {MAX_NAME} characters")
    kinds = [unicodedata.category(character) for character in name if character not in _JOINERS]
    if any(kind in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp") for kind in kinds):
        raise NotAcceptable("has characters that cannot be shown")
    if not any(kind[0] in "LNPS" or kind == "Cn" for kind in kinds):
        raise NotAcceptable("needs a visible character")
    return name
