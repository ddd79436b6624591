"""What code does, told from names that HTTP, OAuth and paging have in common: auth, paging, retries, tokens, versions.

A sign stands at lines and has a reason. No provider's own name is known here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from pytest_connproof.audit.facts import FileFacts, Hole, Mark, Span, shown, words
from pytest_connproof.audit.requests import Request

__all__ = ["AUTHS", "PAGINGS", "Kind", "Sign", "signs_of"]

Kind: TypeAlias = Literal["auth", "pagination", "retry", "token", "version"]

# The first that is found is the kind of auth; a bearer token may come from any of those before it.
AUTHS: Final = ("oauth1", "ws-security", "oauth2", "hmac", "basic", "api_key", "bearer")
PAGINGS: Final = ("link_header", "next_url", "cursor", "keyset", "offset", "page")

_OAUTH2: Final = frozenset({"grant_type", "refresh_token", "client_secret"})
_GRANTS: Final = frozenset({"refresh_token", "client_credentials", "authorization_code", "grant_type"})
_SIZES: Final = frozenset({"size", "per", "limit", "count", "max", "len", "length", "rows", "results"})
_CURSORS: Final = frozenset({"cursor", "after", "bookmark", "continuation", "marker", "startafter", "scroll"})
_OFFSETS: Final = frozenset({"offset", "skip", "startat", "startposition", "startindex", "startrow", "start"})
_TAKES_AUTH: Final = frozenset({"get", "post", "put", "patch", "delete", "request", "client", "session", "axios"})
_WAITS: Final = frozenset({"sleep", "settimeout", "delay", "wait"})
_RETRIES: Final = frozenset({"retry", "retries", "retrying", "backoff"})
_VERSION: Final = re.compile(r"v\d+(?:\.\d+)*|\d{4}-\d{2}(?:-\d{2})?|\d+\.\d+")


@dataclass(frozen=True, slots=True, order=True)
class Sign:
    """`what` of a kind, at these lines of a function (or -1)."""

    kind: Kind
    what: str
    span: Span
    function: int


def signs_of(facts: FileFacts, requests: Sequence[Request]) -> tuple[Sign, ...]:
    """The signs of a file, each once, in the order of their lines."""
    found = {*_auth(facts), *_tokens(facts), *_retries(facts), *_versions(facts, requests), *_paging(facts, requests)}
    return tuple(sorted(found, key=lambda sign: (sign.span, sign.kind, sign.what)))


def _auth(facts: FileFacts) -> Iterator[Sign]:
    for mark in facts.marks:
        for what in _auth_of(mark):
            yield Sign("auth", what, mark.span, mark.function)
    for call in facts.calls:
        # A pair, or an object of a name and a password; a name alone may hold any scheme.
        if call.keyword("auth") == (Hole(""),) and call.last.lower() in _TAKES_AUTH:
            yield Sign("auth", "basic", call.span, call.function)


def _auth_of(mark: Mark) -> Iterator[str]:
    named = words(mark.word)
    joined = "".join(named)
    if mark.kind == "text":
        if mark.word.startswith("oauth_consumer_key") or mark.word.startswith("oauth_signature"):
            yield "oauth1"
        if "UsernameToken" in mark.word or "wsse:" in mark.word:
            yield "ws-security"
        return
    if mark.kind == "called":
        if joined in {"oauth1", "oauth1session", "oauth1auth"}:
            yield "oauth1"
        if joined in {"httpbasicauth", "basicauth"}:
            yield "basic"
        if joined == "createhmac":
            yield "hmac"
        return
    if mark.kind != "sent":
        return
    if mark.word in _OAUTH2:
        yield "oauth2"
    elif mark.word.startswith("oauth_"):
        yield "oauth1"
    elif joined == "authorization":
        said = shown(mark.value)
        for start, what in (("Bearer", "bearer"), ("Basic", "basic"), ("OAuth ", "oauth1")):
            if said.startswith(start):
                yield what
                return
        if "basic" in words(said):
            yield "basic"
        elif " " in said.strip() and not said.startswith("{"):
            yield "bearer"  # another word before a token
    elif joined in {"apikey", "xapikey", "apitoken", "xapitoken", "xauthtoken", "subscriptionkey", "accesskey"} or (
        joined.startswith("x") and joined.endswith(("apikey", "apitoken"))
    ):
        yield "api_key"


def _tokens(facts: FileFacts) -> Iterator[Sign]:
    """Functions that ask for a token or look after one."""
    for number, function in enumerate(facts.functions):
        own = [mark for mark in facts.marks if mark.function == number]
        asks = any(mark.kind == "sent" and mark.word in _GRANTS for mark in own)
        keeps = any(mark.word in {"expires_in", "expiresIn"} for mark in own if mark.kind in {"read", "sent"})
        named = set(words(function.name))
        refreshes = "token" in "".join(words(function.name)) and bool(named & {"refresh", "renew", "fetch", "exchange"})
        if asks or keeps or refreshes:
            yield Sign("token", "refresh" if asks or refreshes else "expiry", function.span, number)


def _retries(facts: FileFacts) -> Iterator[Sign]:
    for mark in facts.marks:
        named = set(words(mark.word))
        joined = "".join(words(mark.word))
        if mark.kind == "number" and mark.word in {"429", "503"}:
            yield Sign("retry", f"status {mark.word}", mark.block, mark.function)
        elif mark.kind in {"text", "read"} and joined == "retryafter":
            yield Sign("retry", "retry-after", mark.block, mark.function)
        elif mark.kind == "called" and named & _RETRIES:
            yield Sign("retry", "retry", mark.block, mark.function)
        elif mark.kind == "called" and joined in _WAITS and mark.block != mark.span:
            yield Sign("retry", "wait", mark.block, mark.function)
        elif mark.kind == "text" and "ratelimit" in joined and len(named) < 6:
            yield Sign("retry", "rate limit header", mark.block, mark.function)


def _versions(facts: FileFacts, requests: Sequence[Request]) -> Iterator[Sign]:
    for request in requests:
        for part in (request.path or "").split("/"):
            if _VERSION.fullmatch(part):
                yield Sign("version", part, request.span, request.function)
    for mark in facts.marks:
        if mark.kind == "text" and "://" in mark.word:
            for part in mark.word.partition("://")[2].split("/")[1:]:
                if _VERSION.fullmatch(part):
                    yield Sign("version", part, mark.span, mark.function)
        elif mark.kind == "sent" and "version" in words(mark.word):
            said = shown(mark.value)
            if _VERSION.fullmatch(said):
                yield Sign("version", said, mark.span, mark.function)
    for constant in facts.constants:
        if "version" in words(constant.name) and _VERSION.fullmatch(shown(constant.value)):
            yield Sign("version", shown(constant.value), Span(constant.line, constant.line), constant.function)


def _paging(facts: FileFacts, requests: Sequence[Request]) -> Iterator[Sign]:
    """The functions that ask again and again, with what they send or follow."""
    asking = {request.function for request in requests}
    names = {facts.functions[number].name for number in asking if number >= 0}
    for number in range(-1, len(facts.functions)):
        again = [call for call in facts.calls if call.function == number and call.in_loop and call.last in names]
        itself = number >= 0 and any(
            call.function == number and call.last == facts.functions[number].name for call in facts.calls
        )
        direct = any(request.function == number and (request.in_loop or itself) for request in requests)
        if not direct and not again:
            continue
        # What a function sends that is called in the loop counts with the loop.
        called = {call.last for call in again}
        inside = {n for n, function in enumerate(facts.functions) if function.name in called and n in asking}
        marks = [mark for mark in facts.marks if mark.function == number]
        used = {call.last for call in facts.calls if call.function == number and call.in_loop}
        helping = {n for n, function in enumerate(facts.functions) if function.name in used and n not in asking}
        kinds = _kinds(
            marks,
            [mark for mark in facts.marks if mark.function in inside],
            [mark for mark in facts.marks if mark.function in helping],
        )
        spans = [mark.block for mark in marks if mark.in_loop] or [mark.block for mark in marks]
        if kinds and spans:
            span = facts.functions[number].span if itself else Span(min(spans).first, max(s.last for s in spans))
            yield from (Sign("pagination", kind, span, number) for kind in kinds)


def _kinds(own: Sequence[Mark], inside: Sequence[Mark], helping: Sequence[Mark]) -> list[str]:
    """The kinds of a loop: by its own marks, those of what asks in it, and of what else it calls how links are read."""
    marks = [*own, *inside]
    read = [mark for mark in marks if mark.kind == "read"]
    texts = [mark.word for mark in marks if mark.kind == "text"]
    linked = [mark.word for mark in (*marks, *helping) if mark.kind in {"read", "text"}]
    if any('rel="next"' in word or "rel=next" in word for word in linked) or (
        any(mark.word in {"Link", "link", "links"} for mark in read)
        and "next" in linked
        and not any(_is_next_url(mark.word) for mark in read)
    ):
        return ["link_header"]
    sent = list(dict.fromkeys(kind for mark in marks for kind in _sent_kinds(mark)))
    follows = any(_is_next_url(mark.word) for mark in read) or any(_is_next_url(text) for text in texts)
    if sent and not follows:
        return sent
    if follows:
        return ["next_url"]
    return ["next_url"] if any(mark.word == "next" for mark in read) or "next" in texts else []


def _is_next_url(word: str) -> bool:
    named = words(word)
    return "next" in named and bool({"url", "link", "href", "uri"} & set(named)) and len(named) <= 4


def _sent_kinds(mark: Mark) -> Iterator[str]:
    if mark.kind == "sent":
        yield from _kinds_of_word(mark.word)
    elif mark.kind == "before":  # a query language has OFFSET 20; "after 3 attempts" is prose
        yield from (kind for kind in _kinds_of_word(mark.word) if kind == "offset")


def _kinds_of_word(word: str) -> Iterator[str]:
    named = words(word)
    joined = "".join(named)
    if set(named) & _CURSORS or joined in {
        "pagetoken",
        "nexttoken",
        "nextpagetoken",
        "continuationtoken",
        "pagecursor",
    }:
        yield "cursor"
    elif joined in {"sinceid", "lastid", "minid", "afterid"}:
        yield "keyset"
    elif set(named) & _OFFSETS or joined in _OFFSETS:
        yield "offset"
    elif "page" in named and not set(named) & _SIZES and len(named) <= 2 and not set(named) & {"info", "token"}:
        yield "page"
