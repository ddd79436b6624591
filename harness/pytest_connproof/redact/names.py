"""What a slot holds, by the name of the header, the parameter or the member; and which headers are recorded."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal, TypeAlias

from pytest_connproof.redact.policy import Policy

Kind: TypeAlias = Literal[
    "text", "name", "url", "binary", "strong", "weak", "credential", "cookie", "set-cookie", "phone"
]


@dataclass(frozen=True, slots=True)
class Slot:
    """What stands here. `strong`: a credential whatever it looks like. `weak`: where it looks like one."""

    kind: Kind
    name: str = ""


# Where the name stands.
Where: TypeAlias = Literal["member", "parameter", "header"]

TEXT: Final = Slot("text")
_TOKEN: Final = Slot("weak", "token")

# Names without separators and case, to the placeholder's name.
_STRONG: Final = {
    "accesskey": "access_key",
    "accesstoken": "access_token",
    "apikey": "api_key",
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
    "auth": Slot("weak", "access_token"),
    "credential": Slot("strong", "credential"),
    "key": Slot("weak", "api_key"),
    "secret": Slot("strong", "secret"),
    "session": Slot("weak", "session"),
    "sig": Slot("strong", "signature"),
    "signature": Slot("strong", "signature"),
}
# In a header, of whatever name, what ends so is one.
_HEADER_ENDS: Final = frozenset({"token", "signature", "auth", "session", "credential", "key"})
# A one-time code is called what many other things are called: an OAuth parameter beside it tells.
_BESIDE_A_CODE: Final = frozenset({"granttype", "redirecturi", "clientid", "codeverifier", "clientsecret"})
# A token with one of these words, or a bare "token" under one, says where the reading goes on, not who reads.
# fmt: off
_PAGING: Final = frozenset({
    "after", "before", "change", "continuation", "continue", "cursor", "delta", "forward", "iterator", "marker", "more",
    "next", "offset", "page", "pager", "pagination", "paging", "position", "prev", "previous", "resume", "scroll",
    "skip", "start", "sync",
})
# fmt: on
# Under a credential's or a phone's name, these members hold the value itself.
_CARRIERS: Final = frozenset({"value", "values", "number"})
# Some providers write it as one word: mobilephone, homephone.
_PHONES: Final = ("phone", "phones", "mobile", "fax")
_NOT_A_PHONE: Final = frozenset({"at", "date", "id", "ids", "time"})

_WORD: Final = r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+"


def slot_of(
    name: str,
    policy: Policy,
    where: Where,
    *,
    beside: frozenset[str] = frozenset(),
    parent: str = "",
) -> Slot:
    """What stands under a name. `beside`: the bare names beside it; `parent`: the member that holds it."""
    for own, placeholder in policy.slots.items():
        if bare(own) == bare(name):
            return Slot(_strong(where), placeholder)
    if any(bare(own) == bare(name) for own in policy.plain):
        return TEXT
    if bare(name) == "code":
        telling = _BESIDE_A_CODE | {"state"} if where == "parameter" else _BESIDE_A_CODE
        return TEXT if telling.isdisjoint(beside) else Slot("strong", "code")
    slot = _slot_by_name(name, where)
    if slot == _TOKEN and not _PAGING.isdisjoint(words(parent)):
        return TEXT
    return slot


@lru_cache(maxsize=4096)
def bare(name: str) -> str:
    """The name without separators and case."""
    return "".join(words(name))


@lru_cache(maxsize=4096)
def words(name: str) -> tuple[str, ...]:
    """`X-Amz-Signature`, `accessToken` and `access_token` in lower-case words."""
    return tuple(word.lower() for word in re.findall(_WORD, name))


@lru_cache(maxsize=4096)
def _slot_by_name(name: str, where: Where) -> Slot:
    """What the name by itself says."""
    parts, whole = words(name), bare(name)
    if not parts:
        return TEXT
    if whole in {"authorization", "proxyauthorization"}:
        return Slot("credential", "authorization")
    if whole in {"cookie", "setcookie"} and where == "header":
        return Slot("cookie" if whole == "cookie" else "set-cookie", "cookie")
    last = parts[-1].removesuffix("s")
    if placeholder := _STRONG.get(whole) or _STRONG.get("".join((*parts[-2:-1], last))) or _STRONG.get(last):
        return Slot(_strong(where), placeholder)
    if last == "secret" and len(parts) > 1:
        return Slot(_strong(where), "secret")
    if where == "header" and last in _HEADER_ENDS and _PAGING.isdisjoint(parts):
        return Slot("credential", _WEAK.get(last, "api_key"))
    if where == "parameter" and last in _PARAMETERS and (last != "key" or whole == "key"):
        return _PARAMETERS[last]
    if last == "token":
        return _TOKEN if _PAGING.isdisjoint(parts) else TEXT
    if whole in _WEAK:
        return Slot("weak", _WEAK[whole])
    is_phone = any(word.endswith(_PHONES) for word in parts)
    return Slot("phone") if is_phone and _NOT_A_PHONE.isdisjoint(parts) else TEXT


def _strong(where: Where) -> Kind:
    # A header's credential may come with its scheme.
    return "credential" if where == "header" else "strong"


def says_where(name: str) -> bool:
    """Whether what stands under a name says where the reading goes on."""
    return not _PAGING.isdisjoint(words(name))


def holds_the_value(name: str) -> bool:
    """Whether a member of this name holds what its parent, or the name beside it, is called after."""
    return name.lower() in _CARRIERS


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
_HEADER_WORDS: Final = frozenset({"limit", "quota", "ratelimit", "remaining", "throttle", "version"})


def is_recorded(header: str, policy: Policy) -> bool:
    """Whether a header of this name, in lower case, may stand in a recording."""
    return (
        header in _HEADERS
        or not _HEADER_WORDS.isdisjoint(header.split("-"))
        or any(header == own.lower() for own in (*policy.headers, *policy.token_headers, *policy.slots))
    )
