"""What a response means, by its status code: nothing to say, or the error that ends the read.

A throttle is never retried here or anywhere: it goes to the caller, with the provider's own headers.
"""

from __future__ import annotations

import re

from connproof.errors import (
    AccessRefused,
    NotFound,
    ProviderBroke,
    ProviderBusy,
    ProviderDown,
    ProviderSaid,
    RequestRefused,
)
from connproof.model import Headers, Response

__all__ = ["classify", "passed_on"]

_DELAY_SECONDS = re.compile(r"[0-9]{1,15}")
_PASSED_NAMES = frozenset({"content-type", "date", "retry-after", "x-request-id", "request-id"})
_PASSED_PART = re.compile(r"rate-?limit")

_MEANINGS: dict[int, tuple[type[ProviderSaid], str, str]] = {
    401: (AccessRefused, "refused the credentials", "check the account's credentials; they may have expired"),
    403: (AccessRefused, "does not allow this", "check what the account's credentials may do"),
    404: (NotFound, "has no such thing", "check the path and its parameters"),
    408: (ProviderDown, "gave up waiting", "try again later"),
    410: (NotFound, "says that this is gone", "the API version may be retired: see api_version"),
    429: (ProviderBusy, "is throttling", "wait, then go on with the resume token"),
}


def classify(response: Response) -> ProviderSaid | None:
    """The error that this response is, None for a success (any 2xx).

    Not raised here: the caller adds where it happened. A redirect is an error, as none is followed.
    """
    status = response.status
    if 200 <= status < 300:
        return None
    kind, words, fix = _MEANINGS.get(status) or _by_hundreds(status)
    error = kind(f"the provider {words}: HTTP {status}", status=status, headers=passed_on(response), fix=fix)
    if isinstance(error, ProviderBusy):
        wait = response.header("retry-after")
        error.seconds = int(wait) if wait is not None and _DELAY_SECONDS.fullmatch(wait) else None
    return error


def _by_hundreds(status: int) -> tuple[type[ProviderSaid], str, str]:
    if 300 <= status < 400:
        return ProviderBroke, "redirects", "redirects are not followed: name the final address in the config"
    if 400 <= status < 500:
        return RequestRefused, "calls the request wrong", "compare the request with the provider's documentation"
    if 500 <= status < 600:
        return ProviderDown, "has a fault of its own", "try again later"
    return ProviderBroke, "answered with an unknown status", "report it to the provider"


def passed_on(response: Response) -> Headers:
    """The response headers that callers may see: an allow-list, so that no credential can be among them."""
    return tuple(
        (name, value[:1000]) for name, value in response.headers if name in _PASSED_NAMES or _PASSED_PART.search(name)
    )
