"""Credentials in a text that is shown: each goes, in whatever spelling it stands there.

Code of any language writes a request: what one percent-encodes, or escapes in JSON or XML, another leaves as it is.
So each character of a credential may stand in any spelling, whatever the ones beside it stand in.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from html import escape
from types import MappingProxyType
from typing import Final

__all__ = ["CREDENTIAL", "hidden"]

CREDENTIAL: Final = "(credential)"

_PLAIN: Final = re.compile(r"[A-Za-z0-9._~-]")  # RFC 3986, unreserved: nobody needs another spelling
_OTHERWISE: Final = MappingProxyType({" ": "+", "'": "&apos;"})


def hidden(text: str, credentials: Iterable[str]) -> str:
    """The text with CREDENTIAL in the place of each credential. One may be the beginning of another."""
    longest_first = sorted((one for one in credentials if one), key=len, reverse=True)
    pattern = "|".join("".join(map(_in_any_spelling, one)) for one in longest_first)
    return re.sub(pattern, CREDENTIAL, text) if pattern else text


def _in_any_spelling(character: str) -> str:
    """A pattern of one character: as it is, in a URL or a form, in JSON, in XML."""
    if _PLAIN.fullmatch(character):
        return re.escape(character)
    code, percent = ord(character), "".join(f"%{byte:02x}" for byte in character.encode("utf-8", "surrogatepass"))
    spellings = {
        character,
        percent,
        json.dumps(character)[1:-1],
        f"\\{character}",
        f"\\u{code:04x}",
        escape(character),
        f"&#{code};",
        f"&#x{code:x};",
        _OTHERWISE.get(character, character),
    }
    return f"(?i:{'|'.join(map(re.escape, sorted(spellings, key=len, reverse=True)))})"
