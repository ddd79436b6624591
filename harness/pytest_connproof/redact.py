"""Turn secrets and personal data in recorded traffic into symbolic placeholders; prove that none remains.

What goes in and comes out is the document form of a recording (schema/recording.schema.json). The one
invariant: a redacted document is a fixed point, `redact(redact(x)) == redact(x)`, so that
whoever reads a recording can check it without knowing any secret.

    Authorization: Bearer abc...     Bearer {{secret:access_token#1}}
    {"access_token": "abc..."}       {"access_token": "{{secret:access_token#1}}"}
    https://h/x?access_token=abc...  https://h/x?access_token=%7B%7Bsecret%3Aaccess_token%231%7D%7D
    jane@corp.com                    person-1@redacted.invalid
    "mobile": "+49 170 1234567"      "mobile": "+15550000001"

The same value has the same placeholder across the document, so "the token that was issued is the token
that was sent" can still be seen. A value is a secret because of the slot it stands in (a header, a
parameter, a member) or because of its own shape; what was found once is replaced wherever it stands, in
every spelling that `proof` searches. Headers pass by an allow-list. Tokens that only say where the next
page is are no secrets and stay.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import html
import json
import re
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final, Literal, TypeAlias
from urllib.parse import quote, quote_plus, unquote

from connproof.documents import child
from connproof.model import Connector, frozen
from connproof.places import JsonValue

__all__ = [
    "ENCODINGS",
    "PLACEHOLDER",
    "Change",
    "Hit",
    "Policy",
    "Proof",
    "Redacted",
    "policy_for",
    "proof",
    "redact",
    "unzipped",
]

PLACEHOLDER: Final = re.compile(r"\{\{secret:([a-z0-9_]+)#([1-9][0-9]*)\}\}")

# The spellings in which `proof` searches a secret.
ENCODINGS: Final = ("raw", "percent", "base64", "hex", "json-escaped", "reversed", "jwt")

# A shorter secret is searched raw only, as a whole word: its other spellings are a few
# characters that stand everywhere by chance.
SHORT: Final = 6


@dataclass(frozen=True, slots=True)
class Policy:
    """What a connector adds to the rules that hold for everybody.

    `headers`: further header names that are recorded. `slots`: parameter, member or header names
    that hold a credential, to the name of their placeholder. `secrets`: values known to be secret.
    """

    headers: tuple[str, ...] = ()
    slots: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    secrets: tuple[str, ...] = field(default=(), repr=False)


def policy_for(connector: Connector) -> Policy:
    """What a connector adds: the headers that its config is responsible for, and where its key is sent."""
    auth, version = connector.auth, connector.api_version
    pagings = [operation.pagination for operation in connector.operations() if operation.pagination]
    words = ("cursor", "offset", "page", "key", "page_size")
    placed = [getattr(p, f"{word}_param") for p in pagings for word in words if getattr(p, f"{word}_in") == "header"]
    read = [name for p in pagings for name in (p.cursor_header, p.stop_header, p.total_header, p.header) if name]
    own = [name for headers in (connector.headers, *(o.headers for o in connector.operations())) for name, _ in headers]
    key = [auth.name] if auth.type == "api_key" and auth.place == "header" else []
    named = [version.name] if version and version.place == "header" and version.name else []
    names = {name.lower() for name in (*own, *key, *named, *placed, *read, "authorization", "content-type")}
    return Policy(tuple(sorted(names)), frozen({auth.name: "api_key"} if auth.type == "api_key" else {}))


@dataclass(frozen=True, slots=True)
class Change:
    """Something that was replaced or dropped: where it stood and by which rule. Never the value."""

    pointer: str
    rule: str


@dataclass(frozen=True, slots=True)
class Redacted:
    """A redacted document, what was changed, and the values that `proof` must no longer find in it."""

    document: JsonValue
    changes: tuple[Change, ...]
    secrets: tuple[str, ...] = field(repr=False)

    @property
    def rules(self) -> Mapping[str, int]:
        """How often each rule was applied, by name."""
        return MappingProxyType(dict(sorted(Counter(change.rule for change in self.changes).items())))


def redact(document: JsonValue, policy: Policy | None = None) -> Redacted:
    """The document with every secret and every piece of personal data replaced."""
    work = _Work(policy or Policy())
    work.reserve(document)
    while True:
        following = work.once(document)
        # JSON keeps 1 and 1.0 and true apart; Python's == does not.
        if json.dumps(following) == json.dumps(document):
            return Redacted(document, tuple(work.changes), tuple(work.told()))
        document = following


# Proof.


@dataclass(frozen=True, slots=True)
class Hit:
    """A secret that is still there: which one (by its place in the argument), how spelt, at which byte."""

    secret: int
    encoding: str
    offset: int


@dataclass(frozen=True, slots=True)
class Proof:
    """What a search for every secret in every spelling found.

    `raw_only` counts secrets of fewer than six characters: these were searched as whole words, in no
    other spelling. `blank` counts empty ones, which cannot be searched.
    """

    hits: tuple[Hit, ...]
    raw_only: int = 0
    blank: int = 0

    @property
    def clean(self) -> bool:
        return not self.hits

    @property
    def encodings(self) -> tuple[str, ...]:
        """The spellings found, in the order of ENCODINGS."""
        found = {hit.encoding for hit in self.hits}
        return tuple(encoding for encoding in ENCODINGS if encoding in found)


def proof(data: str | bytes, secrets: Iterable[str]) -> Proof:
    """Search every secret in every spelling of ENCODINGS; the first place of each is a hit."""
    searched = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
    # Base64 is often wrapped: at 76 columns, or line by line in a recording's text.
    unwrapped = re.sub(rb'(?:"\s*,\s*"|\\r|\\n|\s)+', b"", searched)
    segments = [(found.start(), _unbased(found[0])) for found in _SEGMENT.finditer(searched)]
    hits: list[Hit] = []
    raw_only = blank = 0
    for number, secret in enumerate(secrets):
        if not secret:
            blank += 1
            continue
        if len(secret) < SHORT:
            raw_only += 1
            if whole := re.search(_whole_word(secret).encode(), searched):
                hits.append(Hit(number, "raw", whole.start()))
            continue
        spellings = _spellings(secret)
        for encoding, needles in spellings.items():
            at = _first(searched, needles)
            if at is None and encoding == "base64":
                at = _first(unwrapped, needles)
            if at is not None:
                hits.append(Hit(number, encoding, at))
        plain = (*spellings["raw"], *spellings["json-escaped"])
        inside = [start for start, text in segments if _first(text, plain) is not None]
        if inside:
            hits.append(Hit(number, "jwt", inside[0]))
    return Proof(tuple(hits), raw_only, blank)


# The parts of a JWT: base64url without padding, of an object.
_SEGMENT = re.compile(rb"(?<![A-Za-z0-9_-])e[wy][A-Za-z0-9_-]{4,}")


def _unbased(segment: bytes) -> bytes:
    return base64.urlsafe_b64decode(segment[: len(segment) - (len(segment) % 4 == 1)] + b"===")


def _first(text: bytes, needles: Iterable[str]) -> int | None:
    places = [at for needle in needles if (at := text.find(needle.encode("utf-8", "surrogatepass"))) >= 0]
    return min(places, default=None)


def _whole_word(secret: str) -> str:
    return rf"(?<![A-Za-z0-9_]){re.escape(secret)}(?![A-Za-z0-9_])"


def _spellings(secret: str) -> dict[str, tuple[str, ...]]:
    """Encoding to the texts that show the secret in it, each different from those before."""
    data = secret.encode("utf-8", "surrogatepass")
    escaped = json.dumps(secret)[1:-1]
    spelt = {
        "raw": [secret],
        "percent": [
            *_both_cases(quote(data, safe="")),
            *_both_cases(quote(data)),
            *_both_cases(quote_plus(data)),
            *_both_cases("".join(f"%{byte:02X}" for byte in data)),
        ],
        "json-escaped": [
            escaped,
            json.dumps(secret, ensure_ascii=False)[1:-1],
            escaped.replace("/", "\\/"),
            json.dumps(escaped)[1:-1],
            *_both_cases("".join(f"\\u{ord(c):04x}" for c in secret if ord(c) < 0x10000)),
            html.escape(secret),
        ],
        "base64": [shown for offset in range(3) for shown in _based(data, offset)],
        "hex": [data.hex(), data.hex().upper()],
        "reversed": [secret[::-1]],
    }
    seen: set[str] = set()
    different: dict[str, tuple[str, ...]] = {}
    for encoding, texts in spelt.items():
        different[encoding] = tuple(text for text in dict.fromkeys(texts) if text not in seen)
        seen.update(texts)
    return different


def _both_cases(escaped: str) -> tuple[str, str]:
    return escaped, re.sub(r"(?:%|\\u)[0-9A-Fa-f]+", lambda found: _swapped(found[0]), escaped)


def _swapped(escape: str) -> str:
    return escape.upper().replace("\\U", "\\u") if escape != escape.upper() else escape.lower()


def _based(data: bytes, offset: int) -> tuple[str, str]:
    """What of the data is seen in base64 when `offset` bytes (mod 3) stand before it, whatever they are."""
    whole = base64.b64encode(b"\0" * offset + data).decode()
    seen = whole[(0, 2, 3)[offset] : (offset + len(data)) * 8 // 6]
    return seen, seen.replace("+", "-").replace("/", "_")


# Slots: which names hold a credential.

_Kind: TypeAlias = Literal[
    "text", "name", "url", "binary", "strong", "weak", "credential", "cookie", "set-cookie", "phone"
]


@dataclass(frozen=True, slots=True)
class _Slot:
    """What stands here. `strong`: a credential whatever it looks like. `weak`: where it looks like one."""

    kind: _Kind
    name: str = ""


_TEXT: Final = _Slot("text")
_URL: Final = _Slot("url")

# Names without separators and case, to the placeholder's name.
_STRONG: Final = {
    "accesskey": "access_key",
    "accesstoken": "access_token",
    "apikey": "api_key",
    "apipassword": "password",
    "apisecret": "client_secret",
    "apitoken": "api_token",
    "appkey": "api_key",
    "appsecret": "client_secret",
    "assertion": "assertion",
    "authkey": "api_key",
    "authtoken": "access_token",
    "awsaccesskeyid": "access_key",
    "bearertoken": "access_token",
    "bottoken": "access_token",
    "clientassertion": "assertion",
    "clientsecret": "client_secret",
    "codeverifier": "code_verifier",
    "consumersecret": "client_secret",
    "csrftoken": "csrf_token",
    "devicecode": "device_code",
    "hmac": "signature",
    "idtoken": "id_token",
    "jsessionid": "session",
    "jwt": "jwt",
    "oauthtoken": "access_token",
    "oauthverifier": "code",
    "passphrase": "password",
    "passwd": "password",
    "password": "password",
    "privatekey": "private_key",
    "privatetoken": "access_token",
    "pwd": "password",
    "refreshtoken": "refresh_token",
    "samlresponse": "assertion",
    "secretkey": "secret_key",
    "securitytoken": "access_token",
    "sessionkey": "session",
    "sessiontoken": "session",
    "sharedsecret": "client_secret",
    "signingkey": "secret_key",
    "subscriptionkey": "api_key",
    "tokensecret": "token_secret",
    "xsrftoken": "csrf_token",
}
_WEAK: Final = {
    "credential": "credential",
    "secret": "secret",
    "sessionid": "session",
    "sid": "session",
    "sig": "signature",
    "signature": "signature",
    "token": "token",
}
# In a query or a form these words mean one thing; in a record they are also a person's signature or a ticket's key.
_PARAMETERS: Final = {
    "auth": _Slot("weak", "access_token"),
    "credential": _Slot("strong", "credential"),
    "key": _Slot("weak", "api_key"),
    "secret": _Slot("strong", "secret"),
    "session": _Slot("weak", "session"),
    "sig": _Slot("strong", "signature"),
    "signature": _Slot("strong", "signature"),
}
# A one-time code is called what many other things are called: an OAuth parameter beside it tells.
_BESIDE_A_CODE: Final = frozenset({"granttype", "redirecturi", "clientid", "codeverifier", "clientsecret"})
# A token with one of these words says where the reading goes on, not who reads.
# fmt: off
_PAGING: Final = frozenset({
    "after", "before", "change", "changes", "continuation", "continue", "continuous", "cursor", "delta",
    "first", "forward", "iterator", "last", "link", "links", "list", "marker", "more", "next", "offset", "page",
    "pager", "pages", "pagination", "paging", "position", "prev", "previous", "query", "result", "results",
    "resume", "scroll", "search", "skip", "start", "starting", "state", "sync", "watch",
})
# fmt: on
# And a bare "token" under one of these.
_PAGERS: Final = frozenset(
    {"continuation", "cursor", "next", "page", "pager", "pages", "pagination", "paging", "previous"}
)
# Under a credential's or a phone's name, these members hold the value itself.
_CARRIERS: Final = frozenset({"value", "values", "val", "number", "raw", "content", "text"})
_PHONES: Final = frozenset({"phone", "phones", "mobile", "mobiles", "fax", "faxes", "telephone", "telephones"})
# fmt: off
_NOT_A_PHONE: Final = frozenset({
    "at", "count", "country", "date", "enabled", "extension", "format", "id", "ids", "status", "time", "type",
    "verified", "version",
})
# fmt: on

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")


@lru_cache(maxsize=4096)
def _words(name: str) -> tuple[str, ...]:
    """`X-Amz-Signature`, `accessToken` and `access_token` in lower-case words."""
    return tuple(word.lower() for word in _WORD.findall(name))


def _slot(
    name: str,
    policy: Policy,
    *,
    beside: frozenset[str],
    parent: str = "",
    parameter: bool = False,
    header: bool = False,
) -> _Slot:
    """What a member, a parameter or a header of this name holds."""
    words = _words(name)
    normal = "".join(words)
    for own, placeholder in policy.slots.items():
        if "".join(_words(own)) == normal:
            return _Slot("credential" if header else "strong", placeholder)
    if not words:
        return _TEXT
    if normal in {"authorization", "proxyauthorization"}:
        return _Slot("credential", "authorization")
    if normal in {"cookie", "setcookie"} and header:
        return _Slot("cookie" if normal == "cookie" else "set-cookie", "cookie")
    if normal == "code" and (not _BESIDE_A_CODE.isdisjoint(beside) or (parameter and "state" in beside)):
        return _Slot("strong", "code")
    last = words[-1].removesuffix("s") if words[-1] in {"tokens", "secrets", "passwords"} else words[-1]
    found = _STRONG.get(normal) or _STRONG.get("".join(words[-2:-1]) + last) or _STRONG.get(last)
    if found:
        return _Slot("credential" if header else "strong", found)
    if last == "secret" and len(words) > 1:
        return _Slot("credential" if header else "strong", "client_secret" if "client" in words else "secret")
    if (
        header
        and _PAGING.isdisjoint(words)
        and last in {"token", "secret", "signature", "auth", "session", "credential", "key"}
    ):
        return _Slot("credential", _WEAK.get(last, "api_key"))
    if parameter and last in _PARAMETERS and (len(words) == 1 or last != "key"):
        return _PARAMETERS[last]
    if last == "token" and not (_PAGING.isdisjoint(words) and _PAGERS.isdisjoint(_words(parent))):
        return _TEXT
    if normal in _WEAK or last == "token":
        return _Slot("weak", _WEAK.get(normal, "token"))
    # Some providers write it as one word: mobilephone, homephone.
    is_phone = not _PHONES.isdisjoint(words) or any(word.endswith("phone") for word in words)
    if is_phone and _NOT_A_PHONE.isdisjoint(words):
        return _Slot("phone")
    return _TEXT


# Headers that may be recorded. Whatever is not here, or in the policy, is dropped: neither name nor value.
# fmt: off
_HEADERS: Final = frozenset({
    "accept", "accept-language", "accept-version", "allow", "api-key", "apikey", "authorization",
    "content-disposition", "content-language", "content-location", "content-range", "content-type", "cookie",
    "date", "deprecation", "etag", "expires", "if-match", "if-modified-since", "if-none-match",
    "if-unmodified-since", "last-modified", "link", "location", "prefer", "preference-applied", "private-token",
    "proxy-authorization", "range", "retry-after", "set-cookie", "sunset", "token", "warning",
    "www-authenticate", "x-access-token", "x-api-key", "x-api-token", "x-auth-token", "x-http-method-override",
    "x-next-page", "x-page", "x-per-page", "x-prev-page", "x-retry-after", "x-total", "x-total-count",
    "x-total-pages",
})
# fmt: on
# The provider's own words for its limits and versions, whatever it calls the whole header.
_HEADER_WORDS: Final = frozenset({"limit", "quota", "ratelimit", "remaining", "throttle", "throttled", "version"})


def _recorded(header: str, policy: Policy) -> bool:
    return (
        header in _HEADERS
        or not _HEADER_WORDS.isdisjoint(header.split("-"))
        or any(header == own.lower() for own in (*policy.headers, *policy.slots))
    )


# Walking a recording's document: every text in it, and what stands there.


@dataclass(frozen=True, slots=True)
class _Place:
    pointer: str
    slot: _Slot


_Visit: TypeAlias = Callable[[str, _Place], str]
_Step: TypeAlias = Callable[[Any, str], Any]


class _Walk:
    """One walk over a document: the same document with each text as `visit` gives it back."""

    def __init__(self, policy: Policy, visit: _Visit, drop: Callable[[str], None]) -> None:
        self._policy = policy
        self._visit = visit
        self._drop = drop

    def document(self, document: Any) -> Any:
        return self._members(document, "", {"provenance": self._json, "lanes": self._each(self._lane)})

    def _members(self, value: Any, pointer: str, steps: Mapping[str, _Step]) -> Any:
        if not isinstance(value, dict):
            return value
        return {
            name: steps[name](inner, child(pointer, name)) if name in steps else inner for name, inner in value.items()
        }

    def _each(self, step: _Step) -> _Step:
        def every(value: Any, pointer: str) -> Any:
            if not isinstance(value, list):
                return value
            return [step(inner, child(pointer, number)) for number, inner in enumerate(value)]

        return every

    def _lane(self, lane: Any, pointer: str) -> Any:
        exchanges = self._each(self._exchange)
        return self._members(lane, pointer, {"id": self._json, "call": self._call, "exchanges": exchanges})

    def _call(self, call: Any, pointer: str) -> Any:
        return self._members(call, pointer, {"params": self._json, "query": self._parameters, "body": self._json})

    def _exchange(self, exchange: Any, pointer: str) -> Any:
        steps: dict[str, _Step] = {"id": self._json, "request": self._message, "response": self._message}
        return self._members(exchange, pointer, steps)

    def _message(self, message: Any, pointer: str) -> Any:
        steps: dict[str, _Step] = {
            "url": self._url,
            "query": self._parameters,
            "headers": self._headers,
            "json": self._json,
            "form": self._parameters,
            "text": self._lines,
            "base64": self._bytes,
        }
        return self._members(message, pointer, steps)

    def _url(self, url: str, pointer: str) -> str:
        return self._visit(url, _Place(pointer, _URL))

    def _parameters(self, pairs: list[list[str]], pointer: str) -> list[list[str]]:
        beside = frozenset("".join(_words(name)) for name, _ in pairs)
        replaced = []
        for number, (name, value) in enumerate(pairs):
            at = child(pointer, number)
            slot = _slot(name, self._policy, beside=beside, parameter=True)
            replaced.append(
                [self._visit(name, _Place(f"{at}/0", _Slot("name"))), self._visit(value, _Place(f"{at}/1", slot))]
            )
        return replaced

    def _headers(self, pairs: list[list[str]], pointer: str) -> list[list[str]]:
        kept = []
        for number, (name, value) in enumerate(pairs):
            at = child(pointer, number)
            if not _recorded(name, self._policy):
                self._drop(at)
                continue
            slot = _slot(name, self._policy, beside=frozenset(), header=True)
            kept.append([name, self._visit(value, _Place(f"{at}/1", slot))])
        return kept

    def _lines(self, lines: list[str], pointer: str) -> list[str]:
        return self._visit("\n".join(lines), _Place(pointer, _TEXT)).split("\n")

    def _bytes(self, text: str, pointer: str) -> str:
        data = base64.b64decode(text)
        inner = unzipped(data)
        seen = (data if inner is None else inner).decode("latin-1")
        said = self._visit(seen, _Place(pointer, _Slot("binary")))
        if said == seen:
            return text
        changed = said.encode("latin-1")
        return base64.b64encode(changed if inner is None else gzip.compress(changed, mtime=0)).decode()

    def _json(self, value: Any, pointer: str, slot: _Slot = _TEXT, parent: str = "") -> Any:
        if isinstance(value, str):
            return self._visit(value, _Place(pointer, slot))
        if isinstance(value, list):
            return [self._json(inner, child(pointer, number), slot, parent) for number, inner in enumerate(value)]
        if isinstance(value, dict):
            return self._object(value, pointer, slot, parent)
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) > 99_999:
            digits = str(value)
            said = self._visit(digits, _Place(pointer, _TEXT if slot.kind == "weak" else slot))
            return value if said == digits else int(said) if _OWN_PHONE.fullmatch(said) else said
        return value

    def _object(self, members: dict[str, Any], pointer: str, above: _Slot, parent: str) -> dict[str, Any]:
        beside = frozenset("".join(_words(name)) for name in members)
        # {"name": "password", "value": "..."}
        called = next((members[word] for word in ("name", "key", "field") if isinstance(members.get(word), str)), "")
        replaced = {}
        for name, inner in members.items():
            at = child(pointer, name)
            slot = _slot(name, self._policy, beside=beside, parent=parent)
            if slot == _TEXT and name.lower() in _CARRIERS:
                slot = above
                if called and slot == _TEXT:
                    slot = _slot(called, self._policy, beside=frozenset(), parent=parent)
            replaced[self._visit(name, _Place(at, _Slot("name")))] = self._json(inner, at, slot, name)
        return replaced


_UNZIPPED_BYTES: Final = 32 * 1024 * 1024


def unzipped(data: bytes) -> bytes | None:
    """What a gzip body holds; None for any other body."""
    if not data.startswith(b"\x1f\x8b"):
        return None
    try:
        return zlib.decompressobj(wbits=31).decompress(data, _UNZIPPED_BYTES)
    except zlib.error:
        return None


# Finding: where in a text a secret or a person is.


@dataclass(frozen=True, slots=True)
class _Find:
    """A secret in a text. `start` < 0: known from here, but replaced as part of something larger."""

    start: int
    end: int
    value: str
    name: str
    rule: str
    by_slot: bool


# Shapes that are credentials wherever they stand.
_SHAPES: Final = (
    ("private_key", r"-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"),
    ("jwt", r"\beyJ[\w-]{5,}\.[\w-]{5,}\.[\w-]*"),
    ("access_token", r"(?<=[Bb]earer )[\w.~+/-]{16,}=*"),
    ("basic", r"(?<=[Bb]asic )[A-Za-z0-9+/]{12,}={0,2}"),
    ("access_token", r"\bxox[a-z]-[\w-]{10,}"),
    ("access_token", r"\bxapp-[0-9]-[\w-]{10,}"),
    ("access_token", r"\bgh[opusr]_[A-Za-z0-9]{20,}"),
    ("access_token", r"\b[a-z]+_pat_[A-Za-z0-9_]{20,}"),
    ("access_token", r"\b[a-z]{2}pat-[\w-]{20,}"),
    ("access_token", r"\bpat-[a-z]{2}[0-9]-[0-9a-f]{8}-[0-9a-f-]{20,}"),
    ("access_token", r"\bya29\.[\w-]{20,}"),
    ("access_token", r"\b00D[A-Za-z0-9]{12,15}![A-Za-z0-9._]{20,}"),
    ("access_token", r"\bEAA[A-Za-z0-9]{60,}"),
    ("access_token", r"\b(?:secret|ntn)_[A-Za-z0-9]{40,}"),
    ("access_token", r"\bshp[a-z]{2}_[0-9a-fA-F]{32}"),
    ("refresh_token", r"(?<![\w/])1//0[\w-]{30,}"),
    ("client_secret", r"\bGOCSPX-[\w-]{20,}"),
    ("api_key", r"\b(?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{10,}"),
    ("api_key", r"\bsk-[A-Za-z0-9_-]{20,}"),
    ("api_key", r"\bAIza[\w-]{35}"),
    ("api_key", r"\bSG\.[\w-]{20,}\.[\w-]{20,}"),
    ("api_key", r"\bkey-[0-9a-f]{32}\b"),
    ("access_key", r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"),
    ("secret", r"\bwhsec_[A-Za-z0-9+/=]{16,}"),
    ("access_token", r"(?<!\w)[0-9]{8,10}:[A-Za-z0-9_-]{35}(?!\w)"),
)
_SHAPED = re.compile("|".join(f"({pattern})" for _, pattern in _SHAPES))
_SHORTEST_SHAPE: Final = 15

# Names and values inside a text: a URL or a form, JSON, JSON inside JSON, XML, attributes, multipart, header lines.
_PARAMETER = re.compile(r"(?<![\w.%-])([A-Za-z_][\w.\[\]-]{0,60})=([^&#;\s\"'<>\\]+)")
_MEMBER = re.compile(r'"([\w.@:-]{2,60})"\s*:\s*"((?:[^"\\]|\\.)+)"')
_INNER_MEMBER = re.compile(r'(\\+)"([\w.@:-]{2,60})\1"\s*:\s*\1"([^"\\]+)')
_ELEMENT = re.compile(r"<(?:[\w-]{1,60}:)?([\w.-]{2,60})(?:\s[^<>]*)?>([^<>]+)</")
_ATTRIBUTE = re.compile(r"(?<=[\s,])(?:[\w-]{1,60}:)?([\w.-]{2,60})\s?=\s?([\"'])([^\"'<>]+)\2")
_PART = re.compile(r'name="([^"\r\n]{2,60})"[^\r\n]*\r?\n(?:[^\r\n]+\r?\n)*\r?\n([^\r\n]+)(?=\r?\n--)')
_LINE = re.compile(r"^([A-Za-z][\w-]{2,60}): ([^\s][^\r\n]*)", re.MULTILINE)
_USERINFO = re.compile(r"(?<=://)([^/\s@\"'<>?#]+)(?=@)")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9_-]{1,30}) +(\S.*)", re.DOTALL)
_COOKIE = re.compile(r"(?:^|(?<=;))\s*([^=;\s]+)=([^;]+)")

_EMAIL = re.compile(
    r"(?<![\w.+'-])((?:[\w+'-]|%2[Bb]|\.(?!\.)){1,64})(@|%40|\\u0040|&#64;|&#x40;)((?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z]{2,24})(?![\w-])"
)
_RESERVED = re.compile(r"(?:^|\.)(?:example\.[a-z]+(?:\.[a-z]+)?|example|test|invalid|localhost)$")
_OWN_PERSON = re.compile(r"person-([1-9][0-9]*)(?:@|%40|\\u0040|&#64;|&#x40;)redacted\.invalid")
_IMAGES: Final = (".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp")
_PHONE = re.compile(
    r"\s*(?=(?:[^0-9]*[0-9]){7,17}[^0-9]*$)[+(]?[0-9][0-9 ().\-/\u00a0]*(?:\s?(?:x|ext\.?) ?[0-9]+)?\s*"
)
_OWN_PHONE = re.compile(r"\+?1555([0-9]{7,})")

_QUOTED = re.compile(r"%7[Bb]%7[Bb]secret%3[Aa]([a-z0-9_]+)%23([1-9][0-9]*)%7[Dd]%7[Dd]")
_ANY_PLACEHOLDER = re.compile(f"(?:{PLACEHOLDER.pattern})|(?:{_QUOTED.pattern})")
_IN_URL = re.compile(r"https?://[^\s\"'<>\\]+|(?<![\w<{])/[^\s\"'<>{}?]*\?[^\s\"'<>]*|(?<!\S)\?[^\s\"'<>]*")
_RUN = re.compile(r"[A-Za-z0-9+/=_%-]")
# Stands for what has its placeholder already: a character of no name, value or word.
_FILL: Final = "\ue000"


def _masked(text: str, spans: Iterable[tuple[int, int]]) -> str:
    for start, end in spans:
        text = f"{text[:start]}{_FILL * (end - start)}{text[end:]}"
    return text


def _placeholders(text: str) -> list[tuple[int, int]]:
    return [found.span() for found in _ANY_PLACEHOLDER.finditer(text)] if "secret" in text else []


def _is_held(masked: str, *, weak: bool) -> bool:
    """Whether a value in a credential's slot is one: not blank, not a placeholder already, not a switch."""
    left = masked.replace(_FILL, "").strip()
    if not any(c.isalnum() for c in left) or left.lower() in {"true", "false", "null", "none"}:
        return False
    if not weak:
        return True
    return len(left) >= 8 and not re.search(r"\s|://", left) and not _is_plain(left)


def _is_plain(value: str) -> bool:
    """A word or a number such as stands in any text."""
    return len(value) < 12 and (value.isdigit() or (value.isalpha() and (value.islower() or value.isupper())))


def _tells(value: str) -> bool:
    """Whether the value is distinct enough to be replaced wherever else it stands."""
    return len(value) >= SHORT and not _is_plain(value)


def _finds(text: str, place: _Place, policy: Policy) -> list[_Find]:
    """The secrets in a text, those that are the whole slot first."""
    masked = _masked(text, _placeholders(text))
    slot = place.slot
    if slot.kind in {"strong", "weak"}:
        if _is_held(masked, weak=slot.kind == "weak"):
            return [_Find(0, len(text), text, slot.name, slot.name, by_slot=True)]
    elif slot.kind == "credential":
        return list(_in_credential(text, masked, 0, slot))
    elif slot.kind in {"cookie", "set-cookie"}:
        pairs = list(_COOKIE.finditer(masked))
        held = pairs[:1] if slot.kind == "set-cookie" else pairs
        return [_of(text, pair.span(2), "cookie") for pair in held if _is_held(pair[2], weak=False)]
    return _apart([*_by_name(text, masked, policy), *_by_shape(text, masked)], text)


def _of(text: str, span: tuple[int, int], name: str, read: Callable[[str], str] = str) -> _Find:
    start, end = span
    return _Find(start, end, read(text[start:end]), name, name, by_slot=True)


def _in_credential(text: str, masked: str, start: int, slot: _Slot) -> Iterator[_Find]:
    """`Bearer X`, `Basic base64(user:password)`, any other scheme, or the bare credential."""
    scheme = _SCHEME.fullmatch(masked)
    if scheme is None:
        if _is_held(masked, weak=False):
            name = "access_token" if slot.name == "authorization" else slot.name
            yield _Find(start, start + len(text), text, name, slot.name, by_slot=True)
        return
    if not _is_held(scheme[2], weak=False):
        return
    word = scheme[1].lower()
    value = text[scheme.start(2) :]
    name = slot.name
    if name == "authorization" and word != "digest":
        name = "basic" if word == "basic" else "api_key" if word.endswith("key") else "access_token"
    if word == "oauth" and "=" in value:
        name = "authorization"
        for found in _ATTRIBUTE.finditer(f" {value}"):
            if "token" in found[1] or "consumer_key" in found[1] or "signature" in found[1]:
                yield _Find(-1, -1, unquote(found[3]), "access_token", "", by_slot=False)
    yield _Find(start + scheme.start(2), start + len(text), value, name, slot.name, by_slot=True)
    if word == "basic":
        yield from _in_basic(value)


def _in_basic(value: str) -> Iterator[_Find]:
    """The password of Basic credentials, or the user name where that is the key and the password is a filler."""
    try:
        user, colon, password = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return
    if colon and _tells(password) and not _placeholders(password):
        yield _Find(-1, -1, password, "password", "", by_slot=False)
    elif colon and _tells(user) and "@" not in user and not _placeholders(user):
        yield _Find(-1, -1, user, "api_key", "", by_slot=False)


def _by_name(text: str, masked: str, policy: Policy) -> Iterator[_Find]:
    """Values that a name beside them, in the text itself, says are secret."""
    if "=" in text:
        pairs = list(_PARAMETER.finditer(masked))
        beside = frozenset("".join(_words(pair[1])) for pair in pairs)
        for pair in pairs:
            slot = _slot(pair[1], policy, beside=beside, parameter=True)
            end = pair.start(2) + len(pair[2].rstrip(".,)"))
            yield from _named(text, masked, (pair.start(2), end), slot, unquote)
        for found in _ATTRIBUTE.finditer(masked):
            yield from _named(text, masked, found.span(3), _slot(found[1], policy, beside=frozenset()), html.unescape)
        if "\n" in text:
            for found in _PART.finditer(masked):
                slot = _slot(found[1], policy, beside=frozenset(), parameter=True)
                yield from _named(text, masked, found.span(2), slot, str)
    if '"' in text:
        for found in _MEMBER.finditer(masked):
            yield from _named(text, masked, found.span(2), _slot(found[1], policy, beside=frozenset()), _unescaped)
        for found in _INNER_MEMBER.finditer(masked):
            yield from _named(text, masked, found.span(3), _slot(found[2], policy, beside=frozenset()), str)
    if "</" in text:
        for found in _ELEMENT.finditer(masked):
            yield from _named(text, masked, found.span(2), _slot(found[1], policy, beside=frozenset()), html.unescape)
    if ": " in text:
        for found in _LINE.finditer(masked):
            slot = _slot(found[1], policy, beside=frozenset(), header=True)
            # Prose has such lines too ("Token: see below"): a line's name alone decides nothing.
            if slot.kind == "credential":
                for find in _in_credential(text[found.start(2) : found.end()], found[2], found.start(2), slot):
                    if find.start < 0 or _is_held(masked[find.start : find.end], weak=True):
                        yield find


def _named(text: str, masked: str, span: tuple[int, int], slot: _Slot, read: Callable[[str], str]) -> Iterator[_Find]:
    start, end = span
    if slot.kind == "credential":
        yield from _in_credential(text[start:end], masked[start:end], start, slot)
    elif slot.kind in {"strong", "weak"} and _is_held(masked[start:end], weak=slot.kind == "weak"):
        yield _of(text, span, slot.name, read)


def _unescaped(text: str) -> str:
    try:
        value = json.loads(f'"{text}"', strict=False)
    except ValueError:
        return text
    return value if isinstance(value, str) and value.isprintable() else text


def _by_shape(text: str, masked: str) -> Iterator[_Find]:
    if len(text) < _SHORTEST_SHAPE:
        return
    for found in _SHAPED.finditer(masked):
        number = found.lastindex or 1
        name = _SHAPES[number - 1][0]
        value = text[found.start() : found.end()]
        if name == "basic" and not any(True for _ in _in_basic(value)):
            continue
        if name == "access_token" and not any(c.isdigit() for c in value):
            continue  # "Bearer authentication-required" is prose
        yield _Find(*found.span(), value, name, name, by_slot=False)
        if name == "basic":
            yield from _in_basic(value)
    if "://" in text:
        for found in _USERINFO.finditer(masked):
            if _is_held(found[1], weak=False):
                _, colon, password = text[found.start() : found.end()].partition(":")
                if colon or _is_held(found[1], weak=True):
                    yield _of(text, found.span(), "userinfo")
                    if _tells(password):
                        yield _Find(-1, -1, unquote(password), "password", "", by_slot=False)


def _apart(finds: list[_Find], text: str) -> list[_Find]:
    """Without overlaps: what lies inside another goes, what lies across another is one with it."""
    known = [find for find in finds if find.start < 0]
    apart: list[_Find] = []
    for find in sorted((f for f in finds if f.start >= 0), key=lambda f: (f.start, -f.end)):
        if not apart or find.start >= apart[-1].end:
            apart.append(find)
        elif find.end > apart[-1].end:
            first = apart.pop()
            apart.append(
                _Find(first.start, find.end, text[first.start : find.end], first.name, first.rule, first.by_slot)
            )
    return [*apart, *known]


# Replacing.


@dataclass(frozen=True, slots=True)
class _Edit:
    start: int
    end: int
    text: str
    rule: str


@dataclass(frozen=True, slots=True)
class _Known:
    """What finds known values in any spelling. `values`: a spelling to its value, None where it is encoded."""

    pattern: re.Pattern[str]
    values: Mapping[str, str | None]


class _Work:
    """What was learnt about one document: which values are secret, and what stands for each."""

    def __init__(self, policy: Policy) -> None:
        self.changes: list[Change] = []
        self._policy = policy
        self._names: dict[str, str] = {}
        self._everywhere = {secret for secret in policy.secrets if secret}
        self._phones: set[str] = set()
        self._given: dict[tuple[str, str], int] = {}
        self._last: Counter[str] = Counter()

    def reserve(self, document: JsonValue) -> None:
        """Take no number that the document uses already."""
        text = json.dumps(document, ensure_ascii=False)
        for found in _ANY_PLACEHOLDER.finditer(text):
            name, number = (found[1], found[2]) if found[1] else (found[3], found[4])
            self._last[name] = max(self._last[name], int(number))
        for kind, own in ((_PERSON, _OWN_PERSON), (_TELEPHONE, _OWN_PHONE)):
            self._last[kind] = max((int(found[1]) for found in own.finditer(text)), default=0)

    def told(self) -> list[str]:
        """Every value that must not be found again, the longest first."""
        return sorted(self._everywhere, key=lambda value: (-len(value), value))

    def once(self, document: JsonValue) -> JsonValue:
        """One round: learn what is secret, then replace it."""
        finds: dict[_Place, list[_Find]] = {}
        left: list[str] = []

        def learn(text: str, place: _Place) -> str:
            if place.slot.kind == "phone" and _is_phone(text):
                self._phones.add(text)
                return text
            found = _finds(text, place, self._policy)
            if found:
                finds[place] = found
            left.append(_masked(text, ((find.start, find.end) for find in found if find.start >= 0)))
            return text

        def replace(text: str, place: _Place) -> str:
            return self._replaced(text, place, finds.get(place, []), known)

        _Walk(self._policy, learn, lambda _: None).document(document)
        # A slot's name says more than a shape's: it is heard first.
        for find in sorted((f for found in finds.values() for f in found), key=lambda f: not f.by_slot):
            self._names.setdefault(find.value, find.name)
            if _tells(find.value):
                self._everywhere.add(find.value)
        known = self._known("\n".join(left))
        following: JsonValue = _Walk(self._policy, replace, self._dropped).document(document)
        return following

    def _dropped(self, pointer: str) -> None:
        self.changes.append(Change(pointer, "header"))

    def _known(self, left: str) -> _Known | None:
        """What finds the known values that still stand in the text `left`; None where none does."""
        values: dict[str, str | None] = {}
        patterns: dict[str, str] = {}
        for value in self.told():
            if len(value) < SHORT:
                values[value] = value
                patterns[value] = _whole_word(value)
                continue
            for encoding, needles in _spellings(value).items():
                plain = encoding in {"raw", "percent", "json-escaped"}
                for needle in (needle for needle in needles if needle in left):
                    values.setdefault(needle, value if plain else None)
                    patterns.setdefault(needle, re.escape(needle))
        for phone in sorted(self._phones):
            for spelt in (phone, quote(phone, safe="")):
                if len(phone) >= 9 and spelt in left:
                    values.setdefault(spelt, phone)
                    patterns.setdefault(spelt, rf"(?<![0-9]){re.escape(spelt)}(?![0-9])")
        longest_first = sorted(patterns, key=lambda needle: (-len(needle), needle))
        return _Known(re.compile("|".join(map(patterns.__getitem__, longest_first))), values) if patterns else None

    def _replaced(self, text: str, place: _Place, finds: list[_Find], known: _Known | None) -> str:
        if place.slot.kind == "phone" and text in self._phones:
            self.changes.append(Change(place.pointer, "phone"))
            return self._symbol(text)
        edits = [_Edit(f.start, f.end, self._symbol(f.value), f.rule) for f in finds if f.start >= 0]
        masked = _masked(text, [*_placeholders(text), *((edit.start, edit.end) for edit in edits)])
        if known:
            by_value = list(self._by_value(masked, known))
            masked = _masked(masked, ((edit.start, edit.end) for edit in by_value))
            edits += by_value
        if place.slot.kind != "binary" and ("@" in masked or "40" in masked):
            edits += self._people(masked)
        if not edits:
            return text
        self.changes += (Change(place.pointer, edit.rule) for edit in edits)
        whole_url = place.slot.kind == "url"
        urls = [(0, len(text))] if whole_url else [found.span() for found in _IN_URL.finditer(text)]
        parts: list[str] = []
        at = 0
        for edit in sorted(edits, key=lambda edit: edit.start):
            in_url = any(start <= edit.start < end for start, end in urls)
            new = quote(edit.text, safe="") if in_url and PLACEHOLDER.fullmatch(edit.text) else edit.text
            parts += [text[at : edit.start], new]
            at = edit.end
        return "".join([*parts, text[at:]])

    def _by_value(self, masked: str, known: _Known) -> Iterator[_Edit]:
        at = 0
        while found := known.pattern.search(masked, at):
            start, at = found.span()
            value = known.values[found[0]]
            if value is None:
                # An encoded secret is part of something longer, which cannot be kept without its middle.
                start = _reach(masked, start, -1)
                at = _reach(masked, at, +1)
                value = masked[start:at]
                self._names.setdefault(value, "encoded")
            symbol = self._symbol(value)
            spelt = quote(symbol, safe="") if found[0] != value and "%" in found[0] else symbol
            yield _Edit(start, at, spelt, "phone" if value in self._phones else self._names.get(value, "secret"))

    def _people(self, masked: str) -> Iterator[_Edit]:
        for found in _EMAIL.finditer(masked):
            local, at, domain = found.groups()
            if _RESERVED.search(domain.lower()) or local == "git" or domain.lower().endswith(_IMAGES):
                continue
            person = self._numbered(_PERSON, f"{unquote(local)}@{domain}")
            yield _Edit(found.start(), found.end(), f"person-{person}{at}redacted.invalid", "email")

    def _symbol(self, value: str) -> str:
        """What stands for a secret or a phone number: always the same."""
        if value in self._phones:
            return f"+1555{self._numbered(_TELEPHONE, value):07d}"
        name = self._names.setdefault(value, "secret")
        return f"{{{{secret:{name}#{self._numbered(name, value)}}}}}"

    def _numbered(self, kind: str, value: str) -> int:
        if (kind, value) not in self._given:
            self._last[kind] += 1
            self._given[kind, value] = self._last[kind]
        return self._given[kind, value]


# No placeholder has such a name.
_PERSON: Final = "@person"
_TELEPHONE: Final = "@phone"


def _is_phone(text: str) -> bool:
    return len(text) <= 40 and _PHONE.fullmatch(text) is not None and _OWN_PHONE.fullmatch(text) is None


def _reach(text: str, at: int, step: int) -> int:
    """How far a run of base64 or hex characters goes from here."""
    while 0 <= (here := at if step > 0 else at - 1) < len(text) and _RUN.fullmatch(text[here]):
        at += step
    return at
