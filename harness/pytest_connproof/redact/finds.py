"""Find the secrets in one text: by the slot it stands in, by names inside it, by their shape."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeAlias
from urllib.parse import unquote

from pytest_connproof.redact.names import Slot, bare, slot_of
from pytest_connproof.redact.policy import Policy
from pytest_connproof.redact.shapes import (
    ATTRIBUTE,
    COOKIE,
    ELEMENT,
    INNER_MEMBER,
    LINE,
    MEMBER,
    PARAMETER,
    PART,
    SCHEME,
    SHAPE_NAMES,
    SHAPED,
    SHORTEST_SHAPE,
    USERINFO,
    is_held,
    tells,
)
from pytest_connproof.redact.symbols import masked, placeholders

_Span: TypeAlias = tuple[int, int]
_Read: TypeAlias = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Find:
    """A secret in a text. `span` is None where it is known from here, but replaced as part of something larger.

    `name` is its placeholder's, `rule` what it was found by; `by_slot`: by a name, not by its shape.
    """

    span: _Span | None
    value: str
    name: str
    rule: str
    by_slot: bool


def secrets_in(text: str, slot: Slot, policy: Policy) -> tuple[Find, ...]:
    """The secrets in a text that stands in a slot, from left to right; after them those without a place."""
    seen = masked(text, placeholders(text))
    whole = (0, len(text))
    if slot.kind in {"strong", "weak"}:
        if is_held(seen, weak=slot.kind == "weak"):
            return (_find(text, whole, slot.name),)
    elif slot.kind == "credential":
        return tuple(_in_credential(text, seen, whole, slot))
    elif slot.kind in {"cookie", "set-cookie"}:
        pairs = list(re.finditer(COOKIE, seen))
        held = pairs[:1] if slot.kind == "set-cookie" else pairs
        return tuple(_find(text, pair.span("value"), "cookie") for pair in held if is_held(pair["value"], weak=False))
    return _apart([*_by_name(text, seen, policy), *_by_shape(text, seen)], text)


def _find(text: str, span: _Span, name: str, read: _Read = str) -> Find:
    return Find(span, read(text[slice(*span)]), name, name, by_slot=True)


def _part(value: str, name: str) -> Find:
    return Find(None, value, name, "", by_slot=False)


def _in_credential(text: str, seen: str, span: _Span, slot: Slot) -> Iterator[Find]:
    """`Bearer X`, `Basic base64(user:password)`, any other scheme, or the bare credential."""
    start, end = span
    with_scheme = re.compile(SCHEME).fullmatch(seen, start, end)
    if with_scheme is None:
        if is_held(seen[start:end], weak=False):
            name = "access_token" if slot.name == "authorization" else slot.name
            yield Find(span, text[start:end], name, slot.name, by_slot=True)
        return
    if not is_held(with_scheme["value"], weak=False):
        return
    scheme, start = with_scheme["scheme"].lower(), with_scheme.start("value")
    value = text[start:end]
    parameters = list(re.finditer(ATTRIBUTE, f" {value}"))
    name = _name_by(scheme, has_parameters=bool(parameters)) if slot.name == "authorization" else slot.name
    yield Find((start, end), value, name, slot.name, by_slot=True)
    for parameter in parameters:
        if {"token", "key", "signature"} & set(parameter["name"].split("_")):
            yield _part(unquote(parameter["value"]), "access_token")
    if scheme == "basic":
        yield from _in_basic(value)


def _name_by(scheme: str, *, has_parameters: bool) -> str:
    if has_parameters:
        return "authorization"
    return "basic" if scheme == "basic" else "api_key" if scheme.endswith("key") else "access_token"


def _in_basic(value: str) -> Iterator[Find]:
    """The password of Basic credentials, or the user name where that is the key and the password is a filler."""
    try:
        inside = base64.b64decode(value, validate=True).decode()
    except ValueError:  # neither base64 nor text
        return
    if placeholders(inside):
        return
    user, colon, password = inside.partition(":")
    if tells(password):
        yield _part(password, "password")
    elif colon and tells(user) and "@" not in user:
        yield _part(user, "api_key")


def _unescaped(text: str) -> str:
    try:
        return str(json.loads(f'"{text}"', strict=False))
    except ValueError:
        return text


# How names and values stand in a text: a sign that there may be any, the pattern, what a name is, how a value is read.
_PAIRS: Final[tuple[tuple[str, str, Literal["member", "parameter"], _Read], ...]] = (
    ("=", PARAMETER, "parameter", unquote),
    ("=", ATTRIBUTE, "member", html.unescape),
    ('name="', PART, "parameter", str),
    ('"', MEMBER, "member", _unescaped),
    ('"', INNER_MEMBER, "member", str),
    ("</", ELEMENT, "member", html.unescape),
)


def _by_name(text: str, seen: str, policy: Policy) -> Iterator[Find]:
    """Values that a name beside them, in the text itself, says are secret."""
    for sign, pattern, kind, read in _PAIRS:
        pairs = list(re.finditer(pattern, seen)) if sign in text else []
        beside = frozenset(bare(pair["name"]) for pair in pairs)
        for pair in pairs:
            slot = slot_of(pair["name"], policy, kind, beside=beside)
            if slot.kind == "credential":
                yield from _in_credential(text, seen, pair.span("value"), slot)
            elif slot.kind in {"strong", "weak"} and is_held(pair["value"], weak=slot.kind == "weak"):
                yield _find(text, pair.span("value"), slot.name, read)
    for line in re.finditer(LINE, seen) if ": " in text else ():
        slot = slot_of(line["name"], policy, "header")
        # Prose has such lines too ("Token: see below"): a line's name alone decides nothing.
        if slot.kind == "credential":
            for find in _in_credential(text, seen, line.span("value"), slot):
                if find.span is None or is_held(seen[slice(*find.span)], weak=True):
                    yield find


def _by_shape(text: str, seen: str) -> Iterator[Find]:
    """Values that look like a credential, and what a URL holds before its host."""
    if len(text) < SHORTEST_SHAPE:
        return
    for found in re.finditer(SHAPED, seen):
        name = SHAPE_NAMES[(found.lastindex or 1) - 1]
        value = text[slice(*found.span())]
        parts = list(_in_basic(value)) if name == "basic" else []
        # "Basic knowledge-of-this" and "Bearer authentication-required" are prose.
        if parts or (name != "basic" and (name != "access_token" or any(c.isdigit() for c in value))):
            yield Find(found.span(), value, name, name, by_slot=False)
            yield from parts
    if "://" in text:
        for found in re.finditer(USERINFO, seen):
            _, colon, password = text[slice(*found.span())].partition(":")
            if is_held(found["user"], weak=not colon):
                yield _find(text, found.span(), "userinfo")
                if colon:
                    yield _part(unquote(password), "password")


def _apart(finds: list[Find], text: str) -> tuple[Find, ...]:
    """Without overlaps: what lies inside another, or across its end, is one with it."""
    apart: list[tuple[int, int, Find]] = []
    placed = [(find.span, find) for find in finds if find.span]
    for (start, end), find in sorted(placed, key=lambda one: (one[0][0], -one[0][1])):
        if apart and start < apart[-1][1]:
            first_start, first_end, first = apart.pop()
            apart.append((first_start, max(first_end, end), first))
        else:
            apart.append((start, end, find))
    whole = (
        f if f.span == (start, end) else replace(f, span=(start, end), value=text[start:end]) for start, end, f in apart
    )
    return (*whole, *(find for find in finds if find.span is None))
