"""Every odd answer of a token endpoint that a client must live through, by name.

Each is written in the connector's own dialect where it has words at all. What the provider did before it answered so
is part of the answer: one that granted and says nonsense has spent the refresh token all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

from connproof.model import Headers, Response
from connproof.places import ABSENT, Absent, JsonValue
from pytest_connproof.provider.dialect import Dialect, Grant, Kind
from pytest_connproof.provider.writing import answered, dated

__all__ = ["ANSWERS", "ELSEWHERE", "Acts", "Occasion", "OddAnswer"]

Acts: TypeAlias = Literal["rotates", "keeps", "revokes", "nothing"]
"""What the provider does first: grants and rotates as it always does; grants, and the refresh token stays; ends the
family, as its owner withdrew the consent; or nothing at all."""

ELSEWHERE: Final = "https://elsewhere.example/token"  # where a redirect leads; a test's own server may stand there
_WAIT_S: Final = 120
_SHORT_S: Final = 20


@dataclass(frozen=True, slots=True)
class Occasion:
    """When an odd answer is due: what was granted (None where nothing was), and the time by the provider's clock.

    `presented` is the refresh token of the request, "" where it has none. `elsewhere` is where a redirect leads.
    """

    dialect: Dialect
    grant: Grant | None
    now: float
    presented: str = ""
    elsewhere: str = ELSEWHERE

    @property
    def granted(self) -> Grant:
        """The grant of an answer that is due after one alone."""
        assert self.grant is not None, "an answer that rotates or keeps is due where something was granted"
        return self.grant


@dataclass(frozen=True, slots=True)
class OddAnswer:
    """One odd answer: the rows of the fault table it stands for, what the provider did, and how it is written."""

    rows: tuple[str, ...]
    acts: Acts
    write: Callable[[Occasion], Response]


_Write: TypeAlias = Callable[[Occasion], Response]


def _refresh(value: JsonValue | Absent) -> _Write:
    return lambda on: on.dialect.granted(replace(on.granted, refresh=value), on.now)


def _same_refresh(on: Occasion) -> Response:
    return on.dialect.granted(replace(on.granted, refresh=on.presented), on.now)


def _no_access(on: Occasion) -> Response:
    return on.dialect.granted(replace(on.granted, access=ABSENT), on.now)


def _lifetime(told: Callable[[JsonValue], JsonValue | Absent]) -> _Write:
    return lambda on: on.dialect.granted(replace(on.granted, told=told), on.now)


def _lifetime_is(value: JsonValue | Absent) -> _Write:
    return _lifetime(lambda _: value)


def _short(on: Occasion) -> Response:
    return on.dialect.granted(replace(on.granted, lifetime_s=_SHORT_S), on.now)


def _floating(lifetime: JsonValue) -> JsonValue:
    return float(lifetime) if isinstance(lifetime, int) else lifetime


def _in_quotes(lifetime: JsonValue) -> JsonValue:
    return lifetime if isinstance(lifetime, str) else str(lifetime)


def _dated(offset_s: float) -> _Write:
    # A provider whose clock is wrong writes every absolute time by it.
    return lambda on: on.dialect.granted(on.granted, on.now + offset_s)


def _said(code: str, status: int, description: str = "") -> _Write:
    return lambda on: on.dialect.refused(code, on.now, status=status, description=description)


def _of_kind(kind: Kind, status: int) -> _Write:
    return lambda on: on.dialect.refused(on.dialect.code_of(kind), on.now, status=status)


def _json(document: JsonValue, status: int = 200) -> _Write:
    return lambda on: answered(document, dated(on.now), status=status)


def _cut(on: Occasion) -> Response:
    whole = on.dialect.granted(on.granted, on.now)
    return replace(whole, body=whole.body[: len(whole.body) // 2])


def _page(status: int, body: bytes, *headers: tuple[str, str], kind: str = "text/html; charset=utf-8") -> _Write:
    return lambda on: Response(status, (("content-type", kind), dated(on.now), *headers), body)


def _bare(status: int, headers: Callable[[Occasion], Headers] = lambda _: ()) -> _Write:
    return lambda on: Response(status, (dated(on.now), *headers(on)), b"")


def _busy(headers: Callable[[Occasion], Headers]) -> _Write:
    return _bare(429, headers)


def _redirect(status: int) -> _Write:
    return _bare(status, lambda on: (("location", on.elsewhere),))


_GATEWAY: Final = b"<!doctype html><title>The service is being moved</title><p>Please come back later.</p>"

ANSWERS: Final[Mapping[str, OddAnswer]] = MappingProxyType(
    {
        "the clock is ahead": OddAnswer(("F21",), "rotates", _dated(600)),
        "the clock is behind": OddAnswer(("F21",), "rotates", _dated(-600)),
        "no refresh token": OddAnswer(("F24",), "keeps", _refresh(ABSENT)),
        "empty refresh token": OddAnswer(("F25",), "keeps", _refresh("")),
        "null refresh token": OddAnswer(("F25",), "keeps", _refresh(None)),
        "same refresh token": OddAnswer(("F25",), "keeps", _same_refresh),
        "lifetime in quotes": OddAnswer(("F26",), "rotates", _lifetime(_in_quotes)),
        "lifetime as a float": OddAnswer(("F26",), "rotates", _lifetime(_floating)),
        "lifetime as a float in quotes": OddAnswer(("F26",), "rotates", _lifetime(lambda v: _in_quotes(_floating(v)))),
        "lifetime 0": OddAnswer(("F27",), "rotates", _lifetime_is(0)),
        "lifetime below 0": OddAnswer(("F27",), "rotates", _lifetime_is(-5)),
        "lifetime true": OddAnswer(("F27",), "rotates", _lifetime_is(True)),
        "lifetime a word": OddAnswer(("F27",), "rotates", _lifetime_is("abc")),
        "lifetime of ages": OddAnswer(("F27",), "rotates", _lifetime_is(10**18)),
        "lifetime NaN": OddAnswer(("F27",), "rotates", _lifetime_is(float("nan"))),  # as some servers write it bare
        "lifetime NaN in quotes": OddAnswer(("F27",), "rotates", _lifetime_is("NaN")),
        "no lifetime": OddAnswer(("F28",), "rotates", _lifetime_is(ABSENT)),
        "lifetime below the margin": OddAnswer(("F29",), "rotates", _short),
        "error in a success": OddAnswer(("F30",), "revokes", _of_kind("revoked", 200)),
        "not ok in a success": OddAnswer(("F30",), "nothing", _json({"ok": False})),
        "page of HTML": OddAnswer(("F31",), "rotates", _page(200, _GATEWAY)),
        "empty body": OddAnswer(("F31",), "rotates", _page(200, b"", kind="application/json")),
        "body cut off": OddAnswer(("F31",), "rotates", _cut),
        "a list": OddAnswer(("F31",), "rotates", _json([])),
        "no content": OddAnswer(("F31",), "rotates", _bare(204)),
        "refresh token alone": OddAnswer(("F32",), "rotates", _no_access),
        "revoked": OddAnswer(("F33",), "revokes", _of_kind("revoked", 400)),
        "invalid_client": OddAnswer(("F35",), "nothing", _said("invalid_client", 401)),
        "invalid_client with a 400": OddAnswer(("F35",), "nothing", _said("invalid_client", 400)),
        "unauthorized_client": OddAnswer(("F35",), "nothing", _said("unauthorized_client", 400)),
        "misconfigured": OddAnswer(("F35",), "nothing", _of_kind("misconfigured", 400)),
        "401 and no word": OddAnswer(("F35",), "nothing", _bare(401)),
        "vendor code": OddAnswer(("F36",), "revokes", _said("BAD_REFRESH_TOKEN", 400)),
        "vendor code elsewhere": OddAnswer(("F36",), "revokes", _json({"status": "BAD_REFRESH_TOKEN"}, 400)),
        "vendor code in a success": OddAnswer(("F36",), "revokes", _said("bad_refresh_token", 200)),
        "already revoked": OddAnswer(("F36",), "revokes", _said("invalid_request", 400, "token was already revoked")),
        "unknown code": OddAnswer(("F36",), "nothing", _said("E1000", 400)),
        "429, seconds": OddAnswer(("F37",), "nothing", _busy(lambda _: (("retry-after", str(_WAIT_S)),))),
        "429, date": OddAnswer(("F37",), "nothing", _busy(lambda on: (("retry-after", dated(on.now + _WAIT_S)[1]),))),
        "429": OddAnswer(("F37",), "nothing", _busy(lambda _: ())),
        "500": OddAnswer(("F38", "F39"), "nothing", _bare(500)),
        "502 with a page": OddAnswer(("F38", "F39"), "nothing", _page(502, _GATEWAY)),
        "503, seconds": OddAnswer(("F38",), "nothing", _bare(503, lambda _: (("retry-after", str(_WAIT_S)),))),
        "504 after it granted": OddAnswer(("F38",), "rotates", _page(504, _GATEWAY)),
        "transient": OddAnswer(("F38",), "nothing", _of_kind("transient", 503)),
        "302": OddAnswer(("F40",), "nothing", _redirect(302)),
        "307": OddAnswer(("F40",), "nothing", _redirect(307)),
        "308": OddAnswer(("F40",), "nothing", _redirect(308)),
    }
)
