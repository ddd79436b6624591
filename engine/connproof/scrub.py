"""Take live secrets out of a text: whole, in part, and in the encodings in which a provider echoes them.

What is looked for are the secrets' own values, so that nothing needs to look like a secret to be found. Any
twelve characters in a row that belong to a secret go, so that neither a cut nor what a secret was encoded together
with (the user name before it, in Basic) brings it through.
"""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Final
from urllib.parse import quote, quote_plus

from connproof.places import JsonValue

__all__ = ["MARK", "Scrubber", "texts_in"]

MARK: Final = "[credential]"
_WINDOW: Final = 12
_SHORTEST: Final = 4  # a shorter one stands in many an ordinary word


def texts_in(document: JsonValue) -> Iterator[str]:
    """Every text of a document that is not a member's name: of an account's credentials, each may be secret."""
    if isinstance(document, str):
        yield document
    elif isinstance(document, dict):
        for inner in document.values():
            yield from texts_in(inner)
    elif isinstance(document, list):
        for inner in document:
            yield from texts_in(inner)


class Scrubber:
    """Replaces secrets of at least four characters by MARK. Its own repr shows none.

    Secrets: as raw text, percent-encoded, in JSON (once and twice), quoted by Python or HTML, in hex, and in base64
    wherever in the encoded bytes they stand. Those shorter than twelve characters are found whole alone.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        self._secrets = frozenset(secret for secret in secrets if len(secret) >= _SHORTEST)

    def __repr__(self) -> str:
        return f"Scrubber({len(self._secrets)} secrets)"

    def text(self, text: str) -> str:
        """The text without the secrets. Time grows with the text's length, and not with the number of secrets."""
        if not self._secrets:
            return text
        windows, lengths = self._windows
        hidden = [False] * len(text)
        for length in lengths:
            for start in range(len(text) - length + 1):
                if text[start : start + length] in windows:
                    hidden[start : start + length] = [True] * length
        kept: list[str] = []
        for index, character in enumerate(text):
            if not hidden[index]:
                kept.append(character)
            elif not index or not hidden[index - 1]:
                kept.append(MARK)
        return "".join(kept)

    @cached_property
    def _windows(self) -> tuple[frozenset[str], tuple[int, ...]]:
        """All that is looked for, and the lengths that it has: twelve characters, and the whole of what is shorter."""
        forms = {form for secret in self._secrets for form in _forms(secret)}
        windows = {form[start : start + _WINDOW] for form in forms for start in range(max(1, len(form) - _WINDOW + 1))}
        return frozenset(windows), tuple(sorted({len(window) for window in windows}))


def _forms(secret: str) -> Iterator[str]:
    quoted = json.dumps(secret)[1:-1]
    percent = quote(secret, safe="")
    yield from (secret, quoted, json.dumps(quoted)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1])
    yield from (quoted.replace("/", "\\/"), repr(secret)[1:-1], html.escape(secret))
    yield from (percent, percent.lower(), quote(secret), quote_plus(secret), quote(percent, safe=""))
    data = secret.encode(errors="surrogatepass")
    yield from (data.hex(), data.hex().upper())
    for before in range(3):
        whole = base64.b64encode(bytes(before) + data).decode()
        # The first and the last characters also hold bits of what stands around the secret.
        inner = whole[(0, 2, 3)[before] : (before + len(data)) * 8 // 6]
        if len(inner) >= 8:
            yield from (inner, inner.translate({ord("+"): "-", ord("/"): "_"}))
