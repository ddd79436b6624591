"""What secrets and people look like: the patterns, and when a value is distinct enough to be one.

Patterns are kept as texts; see `symbols`.
"""

from __future__ import annotations

import re
from typing import Final

from pytest_connproof.redact.proving import SHORT
from pytest_connproof.redact.symbols import FILL, is_own_phone

# Credentials wherever they stand, by the name of the placeholder.
_SHAPES: Final = (
    ("private_key", r"-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"),
    ("jwt", r"\beyJ[\w-]{5,}\.[\w-]{5,}\.[\w-]*"),
    ("access_token", r"(?<=[Bb]earer )[\w.~+/-]{16,}=*"),
    ("basic", r"(?<=[Bb]asic )[A-Za-z0-9+/]{12,}={0,2}"),
    ("access_token", r"\bxox[a-z]-[\w-]{10,}"),
    ("access_token", r"\bxapp-[0-9]-[\w-]{10,}"),
    ("access_token", r"\bgh[opusr]_[A-Za-z0-9]{20,}"),
    ("access_token", r"\b[a-z]+_pat_[A-Za-z0-9_]{20,}"),
    ("access_token", r"\b[a-z]{2}pat-[\w-]{20,}"),
    ("access_token", r"\bpat-[a-z]{2}[0-9]-[0-9a-f]{8}-[0-9a-f-]{20,}"),
    ("access_token", r"\bya29\.[\w-]{20,}"),
    ("access_token", r"\b00D[A-Za-z0-9]{12,15}![A-Za-z0-9._]{20,}"),
    ("access_token", r"\bEAA[A-Za-z0-9]{60,}"),
    ("access_token", r"\b(?:secret|ntn)_[A-Za-z0-9]{40,}"),
    ("access_token", r"\bshp[a-z]{2}_[0-9a-fA-F]{32}"),
    ("refresh_token", r"(?<![\w/])1//0[\w-]{30,}"),
    ("client_secret", r"\bGOCSPX-[\w-]{20,}"),
    ("api_key", r"\b(?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{10,}"),
    ("api_key", r"\bsk-[A-Za-z0-9_-]{20,}"),
    ("api_key", r"\bAIza[\w-]{35}"),
    ("api_key", r"\bSG\.[\w-]{20,}\.[\w-]{20,}"),
    ("api_key", r"\bkey-[0-9a-f]{32}\b"),
    ("access_key", r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"),
    ("secret", r"\bwhsec_[A-Za-z0-9+/=]{16,}"),
    ("access_token", r"(?<!\w)[0-9]{8,10}:[A-Za-z0-9_-]{35}(?!\w)"),
)
# Group n has the n-th name.
SHAPED: Final = "|".join(f"({pattern})" for _, pattern in _SHAPES)
SHAPE_NAMES: Final = tuple(name for name, _ in _SHAPES)
SHORTEST_SHAPE: Final = 15

# A name and its value, inside a text: in a URL or a form, as JSON, as JSON inside JSON, in XML, a part, a header line.
PARAMETER: Final = r"(?<![\w.%-])(?P<name>[A-Za-z_][\w.\[\]-]{0,60})=(?P<value>[^&#;\s\"'<>\\]*[^&#;\s\"'<>\\.,)])"
MEMBER: Final = r'"(?P<name>[\w.@:-]{2,60})"\s*:\s*"(?P<value>(?:[^"\\]|\\.)+)"'
INNER_MEMBER: Final = r'(?P<escaped>\\+)"(?P<name>[\w.@:-]{2,60})(?P=escaped)"\s*:\s*(?P=escaped)"(?P<value>[^"\\]+)'
ELEMENT: Final = r"<(?:[\w-]{1,60}:)?(?P<name>[\w.-]{2,60})(?:\s[^<>]*)?>(?P<value>[^<>]+)</"
ATTRIBUTE: Final = (
    r"(?<=[\s,])(?:[\w-]{1,60}:)?(?P<name>[\w.-]{2,60})\s?=\s?(?P<quote>[\"'])(?P<value>[^\"'<>]+)(?P=quote)"
)
PART: Final = r'name="(?P<name>[^"\r\n]{2,60})"[^\r\n]*\r?\n(?:[^\r\n]+\r?\n)*\r?\n(?P<value>[^\r\n]+)(?=\r?\n--)'
LINE: Final = r"(?m)^(?P<name>[A-Za-z][\w-]{2,60}): (?P<value>[^\s][^\r\n]*)"
COOKIE: Final = r"(?:^|(?<=;))\s*[^=;\s]+=(?P<value>[^;]+)"
USERINFO: Final = r"(?<=://)(?P<user>[^/\s@\"'<>?#]+)(?=@)"
# A header's credential: its scheme and itself.
SCHEME: Final = r"(?s)(?P<scheme>[A-Za-z][A-Za-z0-9_-]{1,30}) +(?P<value>\S.*)"

EMAIL: Final = (
    r"(?<![\w.+'-])(?<!://)(?P<local>(?:[\w+'-]|%2[Bb]|\.(?!\.)){1,64})(?P<at>@|%40|\\u0040|&#64;|&#x40;)"
    r"(?P<domain>(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z]{2,24})(?![\w-])"
)
_NOBODYS: Final = r"(?:^|\.)(?:example\.[a-z]+(?:\.[a-z]+)?|example|test|invalid|localhost)$"
_IMAGES: Final = (".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp")
_PHONE: Final = r"\s*(?=(?:[^0-9]*[0-9]){7,17}[^0-9]*$)[+(]?[0-9][0-9 ().\-/\u00a0]*(?:\s?(?:x|ext\.?) ?[0-9]+)?\s*"

# A URL, or a path with a query, inside a text.
IN_URL: Final = r"https?://[^\s\"'<>\\]+|(?<![\w<{])/[^\s\"'<>{}?]*\?[^\s\"'<>]*|(?<!\S)\?[^\s\"'<>]*"
# What an encoded secret is part of.
RUN: Final = r"[A-Za-z0-9+/=_%-]"


def is_held(seen: str, *, weak: bool) -> bool:
    """Whether a masked value in a credential's slot is one: not blank, not a placeholder already, not a switch."""
    left = seen.replace(FILL, "").strip()
    if not any(c.isalnum() for c in left) or left.lower() in {"true", "false", "null", "none"}:
        return False
    return not weak or (len(left) >= 8 and not re.search(r"\s|://", left) and not _is_plain(left))


def tells(value: str) -> bool:
    """Whether a value is distinct enough to be replaced wherever else it stands.

    A filler such as "access_token" is not: members are called so, and our own placeholders.
    """
    return len(value) >= SHORT and not _is_plain(value) and not re.fullmatch("[a-z_]{,15}", value)


def _is_plain(value: str) -> bool:
    """A word or a number such as stands in any text."""
    return len(value) < 12 and (value.isdigit() or (value.isalpha() and (value.islower() or value.isupper())))


def is_person(local: str, domain: str) -> bool:
    """Whether an address is somebody's: not reserved for examples, not a repository's, not an image's name."""
    domain = domain.lower()
    return not (re.search(_NOBODYS, domain) or local == "git" or domain.endswith(_IMAGES))


def is_phone(text: str) -> bool:
    """Whether the text is a phone number, and none of ours."""
    return len(text) <= 40 and re.fullmatch(_PHONE, text) is not None and not is_own_phone(text)
