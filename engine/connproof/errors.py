"""Every error of the engine, in one tree, grouped by who must act.

    ConnproofError
    ├── ConfigWrong            the connector's author: connector.json says something it may not
    ├── MappingFailed          the connector's author: an expression failed on a record
    │   └── MappingStopped         an account's expression needed more than it is given; `limit` says of what
    ├── CallWrong              the caller: an unknown resource, a missing parameter, a bad resume token
    │   └── SharedGrant            another account has this very refresh token: two would spend it twice
    ├── StoreFailed            whoever runs the store: it cannot be read or written
    ├── ClientMisconfigured    whoever runs the OAuth client: its own id, secret or rights are refused
    └── ProviderSaid           the provider answered, and the read cannot go on as it is
        ├── AccessRefused      the account's owner: credentials refused, or not allowed
        │   └── Reauthorise        the tokens are lost for good: connect the account again; `reason` says why
        ├── NotFound           the caller: no such thing at the provider
        ├── RequestRefused     the connector's author: the provider calls the request wrong
        ├── CursorExpired      the caller: the place in the listing is gone; read it anew
        ├── VersionGone        the connector's author: the provider has retired the API version
        ├── ProviderFailed     whoever reads the code: the provider says that it failed, and no more
        ├── ProviderBusy       nobody: wait; `seconds` says how long where the provider did
        │   └── RefreshPending     a token is being refreshed, and there is none to go on with until then
        ├── ProviderDown       nobody: a fault at the provider or on the way; try later
        └── ProviderBroke      whoever reads the provider: its answer is not what the config declares
            ├── PageUnreadable     the body is not what its type or the config says
            ├── PaginationLoop     a page, cursor or URL came a second time
            ├── PageSizeLowered    going on would skip records
            ├── LimitExceeded      a declared bound was reached
            └── ForeignNextLink    the next link leads to an origin that is not allowed

An error carries data; its text is derived: what is wrong, the facts (where it is, what was
seen), and what to do. No error holds a credential or a whole body, and control
characters are shown escaped.

A failed check of the harness is not an error of this tree: it is a finding.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

__all__ = [
    "AccessRefused",
    "CallWrong",
    "ClientMisconfigured",
    "ConfigWrong",
    "ConnproofError",
    "CursorExpired",
    "Fact",
    "ForeignNextLink",
    "LimitExceeded",
    "MappingFailed",
    "MappingStopped",
    "NotFound",
    "PageSizeLowered",
    "PageUnreadable",
    "PaginationLoop",
    "Problem",
    "ProviderBroke",
    "ProviderBusy",
    "ProviderDown",
    "ProviderFailed",
    "ProviderSaid",
    "Reauthorise",
    "RefreshPending",
    "RequestRefused",
    "SharedGrant",
    "StoreFailed",
    "VersionGone",
    "printable",
    "shortened",
]

Fact: TypeAlias = str | tuple[str, ...]

_FACT_CHARACTERS = 300
_PROBLEM_CHARACTERS = 1_000


def printable(text: str) -> str:
    """Escape control characters, so that a provider's text cannot forge a log line or a colour."""
    return "".join(c if c.isprintable() or c == " " else c.encode("unicode_escape").decode() for c in text)


def shortened(text: str, most: int = _FACT_CHARACTERS) -> str:
    """Cut a text to `most` characters and say how many were left out."""
    return text if len(text) <= most else f"{text[:most]}... ({len(text) - most} more characters)"


class ConnproofError(Exception):
    """Something that a person must know: what, the facts, and what to do.

    A fact is one line in print, whatever it holds; a tuple is a line each.
    """

    def __init__(self, what: str, *, facts: Mapping[str, Fact] | None = None, fix: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.facts: dict[str, Fact] = dict(facts or {})
        self.fix = fix

    def __str__(self) -> str:
        rows: dict[str, Fact] = {**self.facts, **({"fix": self.fix} if self.fix else {})}
        width = max((len(label) for label in rows), default=0)
        lines = [printable(self.what)]
        for label, fact in rows.items():
            first, *rest = [fact] if isinstance(fact, str) else fact
            lines.append(f"  {label:<{width}}  {shortened(printable(first))}")
            lines += [f"  {'':<{width}}  {shortened(printable(more))}" for more in rest]
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong in a document. `line` and `column` count from 1; 0 where unknown."""

    pointer: str  # RFC 6901
    line: int
    column: int
    message: str
    hint: str = ""

    def __str__(self) -> str:
        where = f"{self.line}:{self.column}  " if self.line else ""
        hint = f" ({printable(self.hint)})" if self.hint else ""
        at, said = (shortened(printable(text), _PROBLEM_CHARACTERS) for text in (self.pointer or "/", self.message))
        return f"{where}{at}  {said}{hint}"


class ConfigWrong(ConnproofError):
    """A document that a person wrote says something it may not. Holds every problem at once."""

    def __init__(self, document: str, problems: Iterable[Problem]) -> None:
        self.document = document
        self.problems = tuple(problems)
        count = len(self.problems)
        super().__init__(f"{document} has {count} problem{'s' if count != 1 else ''}")

    def __str__(self) -> str:
        return "\n".join(
            [printable(self.what), *(f"  {printable(self.document)}:{problem}" for problem in self.problems)]
        )


class MappingFailed(ConnproofError):
    """An expression failed on a record, or gave what the unified model does not allow.

    `field` is the output field, `expression` its JSONata text, `pointer` and `line` where it stands.
    """

    def __init__(
        self,
        what: str,
        *,
        field: str,
        expression: str,
        pointer: str,
        line: int,
        facts: Mapping[str, Fact] | None = None,
        fix: str = "",
    ) -> None:
        self.field = field
        self.expression = expression
        self.pointer = pointer
        self.line = line
        own = {"field": field, "expression": expression, "mapped by": f"line {line} ({pointer})"}
        super().__init__(what, facts={**own, **(facts or {})}, fix=fix)


class MappingStopped(MappingFailed):
    """An expression of an account's layer met a hard limit, and its process was ended.

    `limit` is that limit in words: "3 s of CPU time", "256 MiB of memory".
    """

    @property
    def limit(self) -> str:
        return str(self.facts["limit"])


class CallWrong(ConnproofError):
    """The caller asked for something that the connector does not have, or asked for it wrongly."""


class SharedGrant(CallWrong):
    """Two accounts with one refresh token would each spend it, and the provider would call that theft."""


class StoreFailed(ConnproofError):
    """A store did not do what it was asked, or did not say so. What was not acknowledged may have happened."""


class ClientMisconfigured(ConnproofError):
    """The token endpoint refuses the OAuth client itself: no account of it is to blame, and none is marked."""


class ProviderSaid(ConnproofError):
    """The provider's answer ends the read.

    `status` is the HTTP status, None where there was no answer. `headers` are the provider's own that may be shown.
    `limits` are the rate-limit fields in one form for all providers (`retry-after`, `ratelimit-limit`,
    `ratelimit-remaining`, `ratelimit-reset`, all in seconds from now), and `seconds` is the wait among them. `resume`
    is the token with which the read goes on where it stopped, None where it cannot. `meaning` is the config's word for
    the answer ("auth_expired"), and `rule` the pointer of the rule that says so; each "" where there is none. `code`
    is the provider's own. `message` is what the provider says in words: it may quote what was sent, so it stands here
    for the caller, and in no text that is logged. `written` has the fates of the elements that were written before a
    batch broke off. `sent` is False where certainly not one byte of the request left, None where nobody knows.
    """

    def __init__(
        self,
        what: str,
        *,
        status: int | None = None,
        headers: Iterable[tuple[str, str]] = (),
        facts: Mapping[str, Fact] | None = None,
        fix: str = "",
    ) -> None:
        super().__init__(what, facts=facts, fix=fix)
        self.status = status
        self.headers = tuple(headers)
        self.resume: str | None = None
        self.limits: tuple[tuple[str, str], ...] = ()
        self.seconds: int | None = None
        self.meaning = ""
        self.rule = ""
        self.code = ""
        self.message = ""
        self.written: tuple[object, ...] = ()
        self.sent: bool | None = None


class AccessRefused(ProviderSaid):
    """The credentials were refused, or they do not allow this."""


class Reauthorise(AccessRefused):
    """The account's tokens are lost for good, and its owner must connect it again.

    `reason` is machine-readable: revoked, rotation_response_lost, expired_idle.
    """

    reason: str = ""


class NotFound(ProviderSaid):
    """The provider has no such thing."""


class RequestRefused(ProviderSaid):
    """The provider calls the request wrong."""


class CursorExpired(ProviderSaid):
    """The place in the listing that the request names is no more."""


class VersionGone(ProviderSaid):
    """The provider no longer serves the API version that the connector targets."""


class ProviderFailed(ProviderSaid):
    """The provider says that it failed; the config's rules give it no nearer meaning."""


class ProviderBusy(ProviderSaid):
    """A throttle. `seconds` is how long to wait, None where the provider does not say."""


class RefreshPending(ProviderBusy):
    """The access token has ended, and its refresh is not done, or may not be tried yet."""


class ProviderDown(ProviderSaid):
    """A fault at the provider, or no answer at all."""


class ProviderBroke(ProviderSaid):
    """The provider's answer is not what the config declares."""


class PageUnreadable(ProviderBroke):
    """A body that is not what its content type or the config says."""


class PaginationLoop(ProviderBroke):
    """The provider, or our reading of it, led back to a page already read."""


class PageSizeLowered(ProviderBroke):
    """The provider returned fewer records than the step assumes: going on would skip some."""


class LimitExceeded(ProviderBroke):
    """A declared bound (bytes, depth, pages, records) was reached. Never silent truncation."""


class ForeignNextLink(ProviderBroke):
    """The next link leads to an origin that the connector does not allow. Nothing was sent there."""
