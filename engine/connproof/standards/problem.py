"""Problem details (RFC 9457): a provider's into data, and an error of ours into a document.

Members of the wrong type count as absent, each by itself. `status` is advisory: the HTTP status code decides.
`type` is compared, never fetched; `detail` is for people, never parsed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from types import MappingProxyType
from typing import Final

from connproof.errors import ConnproofError, ProviderSaid, printable, shortened
from connproof.links import resolve
from connproof.model import Response
from connproof.places import Absent, JsonValue
from connproof.scrub import Scrubber

__all__ = ["ProblemDetails", "problem_document", "read_problem"]

_MEDIA_TYPE: Final = "application/problem+json"
_MEMBERS: Final = frozenset({"type", "title", "status", "detail", "instance"})
_SCHEME: Final = re.compile("[A-Za-z][A-Za-z0-9+.-]*:")
_URL: Final = re.compile(r"(https?://)[^\s?#\"'<>]*@|\?[^\s\"'<>]*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ProblemDetails:
    """A problem document. `status` is what the document says, None where that is no status code.

    `extensions` are all other members, untouched. A repr shows none of the provider's texts.
    """

    type: str = "about:blank"
    title: str | None = field(default=None, repr=False)
    status: int | None = None
    detail: str | None = field(default=None, repr=False)
    instance: str | None = field(default=None, repr=False)
    extensions: Mapping[str, JsonValue] = field(default_factory=lambda: MappingProxyType({}), repr=False)
    notes: tuple[str, ...] = ()

    @property
    def violated_policies(self) -> tuple[str, ...]:
        """The names of the policies whose quota was exceeded, where the document says so."""
        said = self.extensions.get("violated-policies")
        return tuple(name for name in said if isinstance(name, str)) if isinstance(said, list) else ()

    def type_at(self, response_url: str) -> str:
        """`type` as a URI to compare: absolute where it can be."""
        if _SCHEME.match(self.type):
            return self.type
        reference, sharp, fragment = self.type.partition("#")
        try:
            return f"{resolve(reference, response_url)}{sharp}{fragment}"
        except ConnproofError:
            return self.type

    def shown(self, scrubber: Scrubber) -> str:
        """Title and detail for people: none of our secrets, which a provider may echo; control characters escaped."""
        text = ": ".join(part for part in (self.title, self.detail) if part)
        return shortened(printable(scrubber.text(text)))


def read_problem(response: Response, document: JsonValue | Absent, *, declared: bool = False) -> ProblemDetails | None:
    """The problem that a response is, None where it is none. `document` is the decoded body.

    The media type decides; `declared` says that problems come under another one. XML is not read.
    """
    if not isinstance(document, dict) or not (declared or _media_type(response) == _MEDIA_TYPE):
        return None
    if response.body[:64].lstrip().startswith(b"<"):  # markup can be decoded into an object too
        return None
    texts = {name: document.get(name) for name in ("type", "title", "detail", "instance")}
    status = document.get("status")
    is_status = isinstance(status, int) and not isinstance(status, bool) and 100 <= status <= 599
    notes = [f"wrong_type: {name}" for name, said in texts.items() if said is not None and not isinstance(said, str)]
    if status is not None and not is_status:
        notes.append("wrong_type: status")
    if is_status and status != response.status:
        notes.append("status_differs")
    known = {name: said for name, said in texts.items() if isinstance(said, str)}
    return ProblemDetails(
        **known,
        status=status if isinstance(status, int) and is_status else None,
        extensions=MappingProxyType({name: said for name, said in document.items() if name not in _MEMBERS}),
        notes=tuple(notes),
    )


def problem_document(error: ConnproofError) -> dict[str, JsonValue]:
    """An error of ours as a problem document, for a caller that answers over HTTP.

    `status` is the provider's where it gave one that is an error, else 502, or 500 for what is not the provider's:
    the caller answers with the same. No URL keeps its query or a user name.
    """
    status = 500
    if isinstance(error, ProviderSaid):
        status = error.status if error.status is not None and 400 <= error.status <= 599 else 502
    try:
        title = HTTPStatus(status).phrase
    except ValueError:
        title = type(error).__name__
    detail = _URL.sub(lambda found: f"{found[1]}...@" if found[1] else "?...", printable(error.what))
    return {"type": "about:blank", "title": title, "status": status, "detail": shortened(detail)}


def _media_type(response: Response) -> str:
    return (response.header("content-type") or "").partition(";")[0].strip().lower()
