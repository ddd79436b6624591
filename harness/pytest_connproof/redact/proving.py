"""Search a text for secrets in every spelling that they are known to take."""

from __future__ import annotations

import base64
import html
import json
import re
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, quote_plus

# The spellings in which `proof` searches a secret.
ENCODINGS: Final = ("raw", "percent", "base64", "hex", "json-escaped", "reversed", "jwt")

# A shorter secret is searched raw only, as a whole word: its other spellings are a few
# characters that stand everywhere by chance.
SHORT: Final = 6


@dataclass(frozen=True, slots=True)
class Hit:
    """A secret that is still there: which one (by its place in the argument), how spelt, at which byte."""

    secret: int
    encoding: str
    offset: int


@dataclass(frozen=True, slots=True)
class Proof:
    """What a search for every secret in every spelling found.

    `raw_only` counts secrets of fewer than six characters: these were searched as whole words, in no
    other spelling. `blank` counts empty ones, which cannot be searched.
    """

    hits: tuple[Hit, ...]
    raw_only: int = 0
    blank: int = 0

    @property
    def clean(self) -> bool:
        return not self.hits

    @property
    def encodings(self) -> tuple[str, ...]:
        """The spellings found, in the order of ENCODINGS."""
        found = {hit.encoding for hit in self.hits}
        return tuple(encoding for encoding in ENCODINGS if encoding in found)


def proof(data: str | bytes, secrets: Iterable[str]) -> Proof:
    """Search every secret in every spelling of ENCODINGS; the first place of each is a hit."""
    searched = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
    # Base64 is often wrapped: at 76 columns, or line by line in a recording's text.
    unwrapped = re.sub(rb'(?:"\s*,\s*"|\\r|\\n|\s)+', b"", searched)
    segments = [(found.start(), _unbased(found[0])) for found in re.finditer(_SEGMENT, searched)]
    hits: list[Hit] = []
    raw_only = blank = 0
    for number, secret in enumerate(secrets):
        if not secret:
            blank += 1
            continue
        if len(secret) < SHORT:
            raw_only += 1
            if whole := re.search(whole_word(secret).encode(), searched):
                hits.append(Hit(number, "raw", whole.start()))
            continue
        spelt = spellings(secret)
        for encoding, needles in spelt.items():
            at = _first(searched, needles)
            if at is None and encoding == "base64":
                at = _first(unwrapped, needles)
            if at is not None:
                hits.append(Hit(number, encoding, at))
        plain = (*spelt["raw"], *spelt["json-escaped"])
        inside = [start for start, text in segments if _first(text, plain) is not None]
        if inside:
            hits.append(Hit(number, "jwt", inside[0]))
    return Proof(tuple(hits), raw_only, blank)


# The parts of a JWT: base64url without padding, of an object.
_SEGMENT: Final = rb"(?<![A-Za-z0-9_-])e[wy][A-Za-z0-9_-]{4,}"


def _unbased(segment: bytes) -> bytes:
    return base64.urlsafe_b64decode(segment[: len(segment) - (len(segment) % 4 == 1)] + b"===")


def _first(text: bytes, needles: Iterable[str]) -> int | None:
    places = [at for needle in needles if (at := text.find(needle.encode("utf-8", "surrogatepass"))) >= 0]
    return min(places, default=None)


def whole_word(secret: str) -> str:
    """The pattern that finds the secret where it is no part of a longer word."""
    return rf"(?<![A-Za-z0-9_]){re.escape(secret)}(?![A-Za-z0-9_])"


def spellings(secret: str) -> dict[str, tuple[str, ...]]:
    """Encoding to the texts that show the secret in it, each different from those before."""
    data = secret.encode("utf-8", "surrogatepass")
    escaped = json.dumps(secret)[1:-1]
    spelt = {
        "raw": [secret],
        "percent": [
            *_both_cases(quote(data, safe="")),
            *_both_cases(quote(data)),
            *_both_cases(quote_plus(data)),
            *_both_cases("".join(f"%{byte:02X}" for byte in data)),
        ],
        "json-escaped": [
            escaped,
            json.dumps(secret, ensure_ascii=False)[1:-1],
            escaped.replace("/", "\\/"),
            json.dumps(escaped)[1:-1],
            *_both_cases("".join(f"\\u{ord(c):04x}" for c in secret if ord(c) < 0x10000)),
            html.escape(secret),
        ],
        # Echoed and encoded as it stood in a URL or in JSON, which differ where it has signs.
        "base64": [
            shown
            for inner in dict.fromkeys((data, quote(data, safe="").encode(), escaped.encode()))
            for offset in range(3)
            for shown in _based(inner, offset)
        ],
        "hex": [data.hex(), data.hex().upper()],
        "reversed": [secret[::-1]],
    }
    seen: set[str] = set()
    different: dict[str, tuple[str, ...]] = {}
    for encoding, texts in spelt.items():
        different[encoding] = tuple(text for text in dict.fromkeys(texts) if text not in seen)
        seen.update(texts)
    return different


def _both_cases(escaped: str) -> tuple[str, str]:
    return escaped, re.sub(r"(?:%|\\u)[0-9A-Fa-f]+", lambda found: _swapped(found[0]), escaped)


def _swapped(escape: str) -> str:
    return escape.upper().replace("\\U", "\\u") if escape != escape.upper() else escape.lower()


def _based(data: bytes, offset: int) -> tuple[str, str]:
    """What of the data is seen in base64 when `offset` bytes (mod 3) stand before it, whatever they are."""
    whole = base64.b64encode(b"\0" * offset + data).decode()
    seen = whole[(0, 2, 3)[offset] : (offset + len(data)) * 8 // 6]
    return seen, seen.replace("+", "-").replace("/", "_")


_UNZIPPED_BYTES: Final = 32 * 1024 * 1024


def unzipped(data: bytes) -> bytes | None:
    """What a gzip body holds; None for any other body."""
    if not data.startswith(b"\x1f\x8b"):
        return None
    try:
        return zlib.decompressobj(wbits=31).decompress(data, _UNZIPPED_BYTES)
    except zlib.error:
        return None
