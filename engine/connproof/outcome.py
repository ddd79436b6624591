"""What a response means: the config's rules in their order, then the status code.

A meaning is one of a dozen words. All but two of them are errors, which are made here and raised by
nobody here. A throttle is never retried: it goes to the caller, with the provider's own headers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from connproof.conditions import holds, named
from connproof.errors import (
    AccessRefused,
    CursorExpired,
    NotFound,
    ProviderBroke,
    ProviderBusy,
    ProviderDown,
    ProviderFailed,
    ProviderSaid,
    RequestRefused,
    VersionGone,
    shortened,
)
from connproof.model import NOWHERE, ErrorRule, Headers, Meaning, Response, Words
from connproof.places import Absent, JsonValue

__all__ = ["Verdict", "error_of", "judged", "passed_on"]

_CODE: Final = re.compile(r"[A-Za-z0-9_.:/-]{1,100}")
_PASSED_NAMES: Final = frozenset({"content-type", "date", "retry-after", "x-request-id", "request-id"})
_PASSED_PART: Final = re.compile(r"rate-?limit")
_MOST_PASSED: Final = 100

_SUCCESSES: Final = frozenset({"success", "empty"})

_BY_STATUS: Final[Mapping[int, Meaning]] = MappingProxyType(
    {401: "auth_expired", 403: "forbidden", 404: "not_found", 408: "transient", 410: "not_found", 429: "throttled"}
)
_BY_HUNDREDS: Final[Mapping[int, Meaning]] = MappingProxyType({2: "success", 4: "invalid", 5: "transient"})

_KINDS: Final[Mapping[Meaning, tuple[type[ProviderSaid], str, str]]] = MappingProxyType(
    {
        "throttled": (ProviderBusy, "is throttling", "wait, then go on with the resume token"),
        "auth_expired": (
            AccessRefused,
            "refused the credentials",
            "check the account's credentials; they may have expired",
        ),
        "auth_revoked": (AccessRefused, "says that access was revoked", "the account's owner must connect it again"),
        "forbidden": (AccessRefused, "does not allow this", "check what the account's credentials may do"),
        "not_found": (NotFound, "has no such thing", "check the path and its parameters"),
        "invalid": (
            RequestRefused,
            "calls the request wrong",
            "compare the request with the provider's documentation",
        ),
        "cursor_expired": (CursorExpired, "no longer knows the place in the listing", "read the listing anew"),
        "version_gone": (VersionGone, "no longer serves this version of its API", "see api_version"),
        "transient": (ProviderDown, "has a fault of its own", "try again later"),
        "failed": (ProviderFailed, "says that it failed", "see the provider's code and its documentation"),
    }
)
# Two statuses whose usual meaning has words of their own.
_WORDS: Final[Mapping[int, tuple[str, str]]] = MappingProxyType(
    {
        408: ("gave up waiting", "try again later"),
        410: ("says that this is gone", "the API version may be retired: see api_version"),
    }
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a response means, and the rule that says so; None where its status code does.

    `meaning` is None for an answer that the field has no word for: a redirect, an unknown status.
    """

    meaning: Meaning | None
    rule: ErrorRule | None = None

    @property
    def is_success(self) -> bool:
        return self.meaning in _SUCCESSES


def judged(
    response: Response, document: JsonValue | Absent, rules: Iterable[ErrorRule], *, conditional: bool = False
) -> Verdict:
    """The first rule that holds, else the table of statuses. `document` is the body as far as it can be read.

    A 304 says that nothing is new, to a `conditional` request alone (RFC 9110, section 15.4.5).
    """
    for rule in rules:
        if holds(rule.when, response, document):
            return Verdict(rule.means, rule)
    status = response.status
    if status == 304 and conditional:
        return Verdict("empty")
    return Verdict(_BY_STATUS.get(status) or _BY_HUNDREDS.get(status // 100))


def error_of(
    verdict: Verdict,
    response: Response,
    document: JsonValue | Absent,
    *,
    code: Words = NOWHERE,
    message: Words = NOWHERE,
) -> ProviderSaid:
    """The error that a response is which is no success. Not raised here: the caller adds where it happened.

    `code` and `message` are the connector's own words, which those of the rule outrank.
    """
    status, rule = response.status, verdict.rule
    if verdict.meaning is None:
        return _unknown(response)
    kind, says, fix = _KINDS[verdict.meaning]
    if rule is None:
        says, fix = _WORDS.get(status, (says, fix))
    seen = named(rule.code if rule and rule.code else code, response, document)
    error = kind(f"the provider {says}: HTTP {status}", status=status, headers=passed_on(response), fix=fix)
    error.meaning = verdict.meaning
    error.code = shortened(seen, 100)
    error.message = shortened(named(rule.message if rule and rule.message else message, response, document), 1_000)
    if _CODE.fullmatch(seen):  # anything else may quote what was sent
        error.facts["code"] = seen
    if rule is not None:
        error.rule = rule.pointer
    return error


def _unknown(response: Response) -> ProviderBroke:
    status = response.status
    if status == 300:
        words, fix = "knows several things of that name", 'say what it means by a rule of "errors"'
    elif 300 <= status < 400:
        words, fix = "redirects", "redirects are not followed: name the final address in the config"
    else:
        words, fix = "answered with an unknown status", "report it to the provider"
    return ProviderBroke(f"the provider {words}: HTTP {status}", status=status, headers=passed_on(response), fix=fix)


def passed_on(response: Response) -> Headers:
    """The response headers that callers may see: an allow-list, so that no credential can be among them."""
    passed = (
        (name, value[:1000]) for name, value in response.headers if name in _PASSED_NAMES or _PASSED_PART.search(name)
    )
    return tuple(pair for pair, _ in zip(passed, range(_MOST_PASSED), strict=False))
