"""Turn the bytes of a response into a value, by what was really sent.

`decode` is for a page: the content type decides, or the config's word above it, the bytes must agree, and nothing is
guessed: a page that is not what it says it is raises `PageUnreadable`. `decode_as_sent` is for an answer that
may be an error: it tells whatever can be told, and never raises. No declared bound is passed silently, no error holds
the body.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from connproof.decode import as_json, as_text
from connproof.decode.parts import Limits, begins_like, media_type, seen, unreadable
from connproof.errors import LimitExceeded, ProviderBroke, shortened
from connproof.model import Format, Response, XmlFormat
from connproof.places import ABSENT, Absent, JsonValue

__all__ = ["Format", "Kind", "Limits", "Sent", "decode", "decode_as_sent"]

Kind: TypeAlias = Literal["json", "xml", "text", "none", "unreadable"]

_PLAIN_XML: Final = XmlFormat()
_LIMITS: Final = Limits()


def decode(response: Response, *, limits: Limits = _LIMITS, declared: Format | None = None) -> JsonValue | Absent:
    """The value that a response carries; ABSENT for a 204, a 304, an empty or an all-blank body.

    `declared` is the config's word for the format, and stands above the content type. Without it a body is JSON
    where the type says so or where there is no type, and XML where the type says so. A text is read where the config
    says so alone: what else comes as text is some machine's error page on the way.
    Raises PageUnreadable and LimitExceeded.
    """
    _bounded(response, limits)
    if _carries_nothing(response):
        return ABSENT
    chosen = declared or _format(response)
    if chosen is None:
        raise unreadable(
            response,
            f"the body is {shortened(media_type(response), 100)}, and only JSON and XML are read undeclared",
            fix='if that is what the provider sends, say so in the config ("decode"); '
            "else see whether the URL is an API's",
        )
    return _read(response, limits, chosen)


@dataclass(frozen=True, slots=True)
class Sent:
    """What an answer carries. `value` is ABSENT for `none` and for `unreadable`; for `text` it is a text."""

    kind: Kind
    value: JsonValue | Absent

    def __repr__(self) -> str:  # a body is personal data
        return f"Sent({self.kind})"


def decode_as_sent(response: Response, *, limits: Limits = _LIMITS, declared: Format | None = None) -> Sent:
    """What an answer really carries, whatever was asked for: to tell what an error says. Never raises.

    The content type is tried first, then what the body begins like, then a text. `declared` says how to read XML where
    the body is XML, and nothing else.
    """
    words = declared if isinstance(declared, XmlFormat) else _PLAIN_XML
    try:
        _bounded(response, limits)
    except LimitExceeded:
        return Sent("unreadable", ABSENT)
    if _carries_nothing(response):
        return Sent("none", ABSENT)
    for chosen in _candidates(response, words):
        try:
            return Sent(_kind(chosen), _read(response, limits, chosen))
        except ProviderBroke:  # it is something else
            continue
    return Sent("unreadable", ABSENT)


def _candidates(response: Response, words: XmlFormat) -> list[Format]:
    called = media_type(response)
    if called == "text/html":
        return ["text"]  # where such a page is well-formed, it is XML by chance
    by_type = _format(response) if called else None
    looks: dict[str, Format] = {"JSON": "json", "HTML or XML": words, "a byte order mark": words}
    by_bytes = looks.get(begins_like(response.body))
    either = [words if isinstance(each, XmlFormat) else each for each in (by_type, by_bytes) if each]
    return [*dict.fromkeys(either), "text"]


def _bounded(response: Response, limits: Limits) -> None:
    if len(response.body) > limits.body_bytes:
        raise LimitExceeded(
            f"the body is larger than {limits.body_bytes:,} bytes",
            status=response.status,
            facts=seen(response),
            fix="ask for smaller pages",
        )


def _carries_nothing(response: Response) -> bool:
    return response.status in {204, 304} or not response.body or response.body.isspace()


def _format(response: Response) -> Format | None:
    """The one table of what is read by its content type."""
    called = media_type(response)
    if called in {"", "application/json", "text/json"} or called.endswith("+json"):
        return "json"
    if called in {"application/xml", "text/xml"} or called.endswith("+xml"):
        return _PLAIN_XML
    return None


def _kind(chosen: Format) -> Literal["json", "xml", "text"]:
    return "xml" if isinstance(chosen, XmlFormat) else chosen


def _read(response: Response, limits: Limits, chosen: Format) -> JsonValue:
    if isinstance(chosen, XmlFormat):
        from connproof.decode import as_xml  # most connectors read JSON

        return as_xml.read(response, limits, chosen)
    return as_json.read(response, limits) if chosen == "json" else as_text.read(response)
