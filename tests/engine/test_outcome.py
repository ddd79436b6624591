"""Status codes: each class of answer is the error of whoever must act."""

from __future__ import annotations

import pytest

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
from connproof.outcome import error_of, judged, passed_on
from connproof.places import ABSENT


def classify(response: Response) -> ProviderSaid | None:
    """What a response means where no config says anything: the error, None for a success."""
    verdict = judged(response, ABSENT, ())
    return None if verdict.is_success else error_of(verdict, response, ABSENT)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 206, 207, 226, 299])
def test_success_says_nothing(status: int) -> None:
    """Any 2xx is a success."""
    assert None is classify(Response(status))


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (100, ProviderBroke),
        (199, ProviderBroke),
        (300, ProviderBroke),
        (301, ProviderBroke),
        (304, ProviderBroke),
        (308, ProviderBroke),
        (400, RequestRefused),
        (401, AccessRefused),
        (402, RequestRefused),
        (403, AccessRefused),
        (404, NotFound),
        (405, RequestRefused),
        (408, ProviderDown),
        (410, NotFound),
        (422, RequestRefused),
        (429, ProviderBusy),
        (499, RequestRefused),
        (500, ProviderDown),
        (502, ProviderDown),
        (503, ProviderDown),
        (529, ProviderDown),
        (599, ProviderDown),
        (600, ProviderBroke),
        (999, ProviderBroke),
    ],
)
def test_status_has_its_class(status: int, kind: type[ProviderSaid]) -> None:
    """The class says who must act; the text has the status and what to do."""
    error = classify(Response(status, (), b"s3cret"))

    assert error is not None
    assert (kind, status) == (type(error), error.status)
    assert f"HTTP {status}" in str(error) and error.fix
    assert "s3cret" not in str(error)


def test_wait_counts_with_a_throttle_alone() -> None:
    """A Retry-After on a success means no throttle."""
    assert None is classify(Response(200, (("retry-after", "7"),)))


SHOWN: Headers = (
    ("retry-after", "7"),
    ("x-ratelimit-remaining", "0"),
    ("x-rate-limit-reset", "1"),
    ("ratelimit", '"default";r=0'),
    ("x-app-ratelimit-policy", "p"),
    ("date", "Wed, 21 Oct 2026 07:28:00 GMT"),
    ("x-request-id", "r1"),
    ("request-id", "r2"),
    ("content-type", "text/plain"),
)
HIDDEN: Headers = (
    ("set-cookie", "a=s3cret"),
    ("authorization", "s3cret"),
    ("location", "/?token=s3cret"),
    ("x-api-key", "s3cret"),
    ("www-authenticate", "Bearer s3cret"),
    ("link", "</?token=s3cret>; rel=next"),
)


def test_headers_are_passed_on_by_an_allow_list() -> None:
    """S43: what is known to be harmless is shown, and everything else is not."""
    assert SHOWN == passed_on(Response(429, (*HIDDEN, *SHOWN)))


def test_long_header_is_cut() -> None:
    """S43: no header of a hundred kilobytes reaches a message."""
    assert (("x-request-id", "a" * 1000),) == passed_on(Response(429, (("x-request-id", "a" * 100_000),)))
