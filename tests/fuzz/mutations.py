"""Valid inputs into nearly valid ones: what a random source draws, always the same for the same source.

A seed that is JSON is changed as a document (values move to where others of their name stand, members come and go), a
message by its head or its body, anything else byte by byte. Now and then a piece is repeated until the input is long:
so an effort that grows faster than its input is found.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Any, Final, TypeAlias

__all__ = ["Mutator"]

_Holder: TypeAlias = "dict[str, Any] | list[Any]"

LONGEST: Final = 64 * 1024
_DEEPEST: Final = 3_000
_ONE_IN_LONG: Final = 400
_ONE_IN_DEEP: Final = 800

_NUMBERS: Final[tuple[bytes, ...]] = (
    *(b"0", b"-1", b"1", b"00", b"-0", b"007", b"+1", b"1.0", b"0.1", b"1.5", b"1e2", b"1e308", b"1e309", b"-1e-400"),
    *(b"59", b"60", b"99", b"100", b"204", b"304", b"429", b"599", b"600", b"999", b"9999", b"2678401"),
    *(str(number).encode() for power in (31, 32, 53, 63, 64) for number in (2**power - 1, 2**power)),
    *(b"253402300799", b"253402300800", b"-62135596801", b"9" * 15, b"9" * 16, b"9" * 18, b"9" * 400, b"9" * 5000),
    *(b"NaN", b"Infinity", b"-Infinity", b"0x10", b"1_000", b"\xd9\xa1\xd9\xa2", b"\xc2\xb2"),
)
_PIECES: Final[tuple[bytes, ...]] = (
    *(b"", b" ", b"\t", b"\n", b"\r", b"\r\n", b"\0", b"\x7f", b"\x85", b"\xa0", b"\xff", b"\xef\xbb\xbf", b"\xff\xfe"),
    *(b'"', b"'", b"\\", b"/", b"<", b">", b"[", b"]", b"{", b"}", b"(", b")", b",", b";", b":", b"=", b"&", b"#"),
    *(b"?",),
    *(b"%", b"%00", b"%2F", b"%ff", b"@", b"*", b"?", b"..", b"../", b"//", b"$", b"`", b"|", b"~", b"^", b"!", b"-"),
    *(b"\\u0000", b"\\ud83d", b"\\udc00", b"\\ud83d\\ude00", b"\\n", b"\\x", b"null", b"true", b"false"),
    *(b"\xed\xa0\x80",),
    *("é".encode(), "\u2028".encode(), "\u202e".encode(), "\U0001f600".encode(), "ß".encode(), "İ".encode()),
    *(b"a" * 300,),
)
_TEXTS: Final[tuple[str, ...]] = (
    *("", " ", "\0", "\n", "a\nb", "\t", "é", "\u2028", "\ud83d", "\U0001f600", "İ", "{", "{}", "{x}", "{{id}}"),
    *("..", "../x"),
    *("$", "$.a", "a.b", "a[0]", "a[*].b", "a[-1]", '["a b"]', "[", "*", "(", "(?P<a>", "(a+)+$", "\\", "`", "%"),
    *("%zz", "a,b"),
    *("0", "-1", "1e9", "NaN", "true", "null", "9" * 30, "GET", "get", "x" * 300, "__proto__", "$ref", "http://a"),
    *("https://a",),
    *("https://a.example/x?y=1#z", "//a", "https://[::1", "https://a:99999", "https://u:p@a/", "\u202etxt"),
    *("A" * 70, "a:b"),
    *("idna", "utf-7", "utf-16", "punycode", "undefined", "hex", "rot13", "unicode_escape", "latin1", "\0utf-8"),
    *("mbcs",),
    *("9999-12-31T23:59:59Z", "0001-01-01T00:00:00+23:59", "2026-02-30", "Sat, 31 Dec 9999 23:59:60 GMT", "1-1-1"),
)
_VALUES: Final[tuple[Any, ...]] = (
    *(None, True, False, 0, 1, -1, 1.0, 100.0, 0.5, 1e300, 2**31, 2**63, 2**64, 10**30, 10**400, -(2**63) - 1),
    *(float("nan"),),
    *([], {}, [[]], [{}], {"": None}, [None], [""], [0, "a", None], {"a": {"b": []}}, ["a", "a"], float("inf")),
    *_TEXTS,
)
_DIGITS: Final = re.compile(rb"[0-9]+")


class Mutator:
    """Draws inputs for one target. `words` are what its inputs are made of, beside the seeds themselves."""

    def __init__(self, seeds: Sequence[bytes], words: Sequence[bytes]) -> None:
        self._seeds = tuple(seeds)
        self._pieces = (*words, *words, *_PIECES, *_NUMBERS)
        self._soup = tuple(words) or _PIECES
        self._names = tuple(word.decode() for word in words if re.fullmatch(rb"[A-Za-z_$][A-Za-z0-9_$.-]*", word))
        self._under: dict[str, list[str]] = {}  # of all seeds: the values of each name, as JSON texts
        self._beside: dict[str, list[tuple[str, str]]] = {}  # and the members of the objects of each name
        self._documents = [self._learn(_body(seed)) for seed in self._seeds]

    def draw(self, random: Random) -> bytes:
        """One input: a seed, changed a little or much; or words in a row."""
        if random.randrange(10) == 0:
            made = b"".join(random.choice(self._soup) for _ in range(random.randint(1, 24)))
        else:
            made = self._changed(random, random.randrange(len(self._seeds)))
        if random.randrange(_ONE_IN_LONG) == 0:
            made = _long(made, random)
        if random.randrange(_ONE_IN_DEEP) == 0:
            made = _deep(made, random)
        return made[: 2 * LONGEST]

    def _changed(self, random: Random, which: int) -> bytes:
        seed, is_document = self._seeds[which], self._documents[which]
        head, body = _head(seed), _body(seed)
        if head and random.randrange(2):
            head = self._bytes(head, random)
            if random.randrange(2):
                return head + body
        if is_document and random.randrange(8):
            body = self._document(body, random)
            return head + (self._bytes(body, random) if random.randrange(6) == 0 else body)
        return head + self._bytes(body, random)

    # Documents.

    def _learn(self, body: bytes) -> bool:
        document = _json(body)
        if not isinstance(document, dict | list):
            return False
        for holder, key in _places(document):
            if isinstance(key, str):
                value = holder[key]  # type: ignore[call-overload]  # a text is an object's key
                self._under.setdefault(key, []).append(json.dumps(value))
                if isinstance(value, dict):
                    members = [(name, json.dumps(inside)) for name, inside in value.items()]
                    self._beside.setdefault(key, []).extend(members)
        return True

    def _document(self, body: bytes, random: Random) -> bytes:
        document = _json(body)
        for _ in range(random.choice((1, 1, 1, 2, 2, 3, 5))):
            places = list(_places(document))
            if not places:
                return json.dumps(random.choice(_VALUES)).encode()
            self._edit(places, *random.choice(places), random)
        spaced = random.choice(((",", ":"), (", ", ": ")))
        text = json.dumps(document, ensure_ascii=bool(random.randrange(2)), separators=spaced)
        return text.encode("utf-8", "surrogatepass")

    def _edit(self, places: list[tuple[_Holder, Any]], holder: Any, key: Any, random: Random) -> None:
        here = holder[key]
        match random.randrange(14):
            case 0 | 1 | 2 | 3 if key in self._under:
                holder[key] = json.loads(random.choice(self._under[key]))
            case 4 | 5 | 6 if isinstance(here, dict) and self._beside.get(key):
                name, value = random.choice(self._beside[key])
                here[name] = json.loads(value)
            case 7:
                del holder[key]
            case 8 if isinstance(here, str):
                changed = self._bytes(here.encode("utf-8", "surrogatepass"), random)
                holder[key] = changed.decode("utf-8", "replace")
            case 9 if isinstance(here, str):
                holder[key] = random.choice((random.choice(_TEXTS), random.choice(self._names or _TEXTS)))
            case 10 if isinstance(key, str):
                name = random.choice((random.choice(self._names or _TEXTS), random.choice(_TEXTS)))
                holder[name] = holder.pop(key)
            case 11:
                other, there = random.choice(places)
                holder[key] = json.loads(json.dumps(other[there]))
            case 12:
                holder[key] = random.choice(([here], {random.choice(_TEXTS): here}, [here, here]))
            case 13 if isinstance(here, int) and not isinstance(here, bool):
                holder[key] = random.choice((here + 1, here - 1, -here, here * 1000, str(here), _as_float(here)))
            case _:
                holder[key] = json.loads(json.dumps(random.choice(_VALUES)))

    # Bytes.

    def _bytes(self, data: bytes, random: Random) -> bytes:
        for _ in range(random.choice((1, 1, 2, 2, 3, 4, 8))):
            data = _CHANGES[random.randrange(len(_CHANGES))](data, random, self._pieces)
        if random.randrange(30) == 0:
            other = random.choice(self._seeds)
            data = data[: random.randint(0, len(data))] + other[random.randint(0, len(other)) :]
        return data


# Messages: a head, an empty line, a body. Of what has no such line all is body.


def _head(seed: bytes) -> bytes:
    return seed[: len(seed) - len(_body(seed))]


def _body(seed: bytes) -> bytes:
    head, line, body = seed.partition(b"\n\n")
    return body if line and re.match(rb"[0-9]+ [0-9]{3}(\n|\Z)", head) else seed


# Documents, as places: the object or list, and the key or index in it.


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None


def _places(document: Any) -> Iterator[tuple[_Holder, Any]]:
    for key in list(document) if isinstance(document, dict) else range(len(document)):
        yield document, key
        if isinstance(document[key], dict | list):
            yield from _places(document[key])


def _as_float(number: int) -> float:
    return float(number) if abs(number) < 2**1000 else 0.0


# Changes of bytes, each of which may choose to change nothing.

_Change: TypeAlias = Callable[[bytes, Random, Sequence[bytes]], bytes]


def _slice(data: bytes, random: Random) -> tuple[int, int]:
    start = random.randint(0, len(data))
    return start, min(len(data), start + random.choice((0, 1, 1, 2, 3, 5, 8, 20, 60)))


def _without(data: bytes, random: Random, _pieces: Sequence[bytes]) -> bytes:
    start, end = _slice(data, random)
    return data[:start] + data[end:]


def _twice(data: bytes, random: Random, _pieces: Sequence[bytes]) -> bytes:
    start, end = _slice(data, random)
    at = random.randint(0, len(data))
    return data[:at] + data[start:end] + data[at:]


def _with_piece(data: bytes, random: Random, pieces: Sequence[bytes]) -> bytes:
    start, end = _slice(data, random)
    return data[:start] + random.choice(pieces) + data[random.choice((start, end)) :]


def _with_number(data: bytes, random: Random, _pieces: Sequence[bytes]) -> bytes:
    found = list(_DIGITS.finditer(data))
    if not found:
        return data
    one = random.choice(found)
    return data[: one.start()] + random.choice(_NUMBERS) + data[one.end() :]


def _with_byte(data: bytes, random: Random, _pieces: Sequence[bytes]) -> bytes:
    at = random.randint(0, len(data))
    return data[:at] + bytes((random.randrange(256),)) + data[at + 1 :]


def _cut(data: bytes, random: Random, _pieces: Sequence[bytes]) -> bytes:
    return data[: random.randint(0, len(data))] if random.randrange(4) == 0 else data


def _lines_moved(data: bytes, random: Random, _pieces: Sequence[bytes]) -> bytes:
    lines = data.split(b"\n")
    lines.insert(random.randint(0, len(lines)), lines[random.randrange(len(lines))])
    if random.randrange(2):
        del lines[random.randrange(len(lines))]
    return b"\n".join(lines)


def _other_case(data: bytes, random: Random, _pieces: Sequence[bytes]) -> bytes:
    start, end = _slice(data, random)
    return data[:start] + data[start:end].swapcase() + data[end:]


_CHANGES: Final[tuple[_Change, ...]] = (
    *(_without, _twice, _with_piece, _with_piece, _with_piece, _with_number, _with_byte, _cut, _lines_moved),
    *(_other_case,),
)


def _long(data: bytes, random: Random) -> bytes:
    """A piece of it repeated until it is long."""
    start, end = _slice(data, random)
    piece = data[start:end] or b"a"
    return data[:end] + piece * (random.choice((1_000, 8_000, LONGEST)) // len(piece)) + data[end:]


def _deep(data: bytes, random: Random) -> bytes:
    """One of its values inside many lists or objects."""
    depth = random.choice((19, 150, 199, 200, 201, 260, 1_100, _DEEPEST))
    opening, closing = random.choice(((b"[", b"]"), (b'{"a":', b"}"), (b"(", b")"), (b"<a>", b"</a>"), (b"- ", b"")))
    found = list(re.finditer(rb'"[^"]*"|[0-9]+|\w+', data))
    start, end = random.choice(found).span() if found else (0, len(data))
    return data[:start] + opening * depth + data[start:end] + closing * depth + data[end:]
