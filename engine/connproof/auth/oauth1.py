"""OAuth 1.0a (RFC 5849) with HMAC-SHA256: the request as it will go out is signed, query and form body included.

It signs what `Draft.request` writes, so nothing may be added to the draft's URL or body afterwards. Of oauthlib the
signature functions alone are used, its client only to hand them the secrets: by itself it logs what it signs.
"""

from __future__ import annotations

import re
from typing import Final, Literal, TypeAlias
from urllib.parse import quote, unquote_to_bytes

from connproof.auth.signing import Signing
from connproof.credentials import credential, filled
from connproof.draft import Draft
from connproof.model import Account, Auth, Request, Secret
from connproof.places import Place

_FORM: Final = "application/x-www-form-urlencoded"
_Word: TypeAlias = Literal["consumer_key_path", "consumer_secret_path", "token_path", "token_secret_path"]


def sign(draft: Draft, auth: Auth, account: Account, context: Signing) -> Draft:
    from oauthlib.oauth1.rfc5849 import Client, signature  # slow to import, and used by few

    asked = draft.request()
    key, secret = _held(auth, account, "consumer_key_path", "consumer_secret_path")
    token, token_secret = _held(auth, account, "token_path", "token_secret_path")
    realm = "" if auth.realm is None else f'realm="{_quotable(_realm(auth.realm, auth, account))}", '
    oauth = {
        "oauth_consumer_key": key.reveal(),
        "oauth_nonce": context.nonce(),
        "oauth_signature_method": "HMAC-SHA256",
        "oauth_timestamp": str(int(context.now.timestamp())),
        "oauth_token": token.reveal(),
        "oauth_version": "1.0",
    }
    base = signature.signature_base_string(
        asked.method,  # type: ignore[arg-type]  # its stubs know the commoner methods alone
        signature.base_string_uri(asked.url),
        _normalised(asked, oauth),
    )
    signer = Client("", client_secret=secret.reveal(), resource_owner_secret=token_secret.reveal())
    oauth["oauth_signature"] = signature.sign_hmac_sha256_with_client(base, signer)  # type: ignore[no-untyped-call]  # its stubs give it no types
    words = ", ".join(f'{name}="{quote(value, safe="~")}"' for name, value in oauth.items())
    return draft.with_header("authorization", f"OAuth {realm}{words}")


def _held(auth: Auth, account: Account, *words: _Word) -> list[Secret]:
    """What the account has at the places that these words name."""
    return [_credential(auth, account, word) for word in words]


def _credential(auth: Auth, account: Account, word: _Word) -> Secret:
    path: Place | None = getattr(auth, word)
    assert path is not None, "config gives it a default"
    return Secret(credential(account, path, f"{auth.pointer}/{word}"))


def _realm(text: str, auth: Auth, account: Account) -> str:
    """The realm; `upper_underscore` turns the form that a host name has, acme-sb1, into ACME_SB1."""
    realm = filled(text, auth, account, f"{auth.pointer}/realm")
    return realm.upper().replace("-", "_") if auth.realm_format == "upper_underscore" else realm


def _quotable(text: str) -> str:
    return re.sub(r'(["\\])', r"\\\1", text)  # the realm alone is a quoted-string: RFC 5849, section 3.5.1


def _normalised(asked: Request, oauth: dict[str, str]) -> str:
    """All parameters as RFC 5849, section 3.4.1.3.2 orders them. Bytes that are not UTF-8 keep their value."""
    pairs = _pairs(asked.url.partition("?")[2])
    if (asked.header("content-type") or "").partition(";")[0].strip().lower() == _FORM:
        pairs += _pairs((asked.body or b"").decode("latin-1"))
    pairs += [(quote(name, safe="~"), quote(value, safe="~")) for name, value in oauth.items()]
    return "&".join(f"{name}={value}" for name, value in sorted(pairs))


def _pairs(text: str) -> list[tuple[str, str]]:
    split = [pair.partition("=") for pair in text.split("&") if pair]
    return [(_recoded(name), _recoded(value)) for name, _, value in split]


def _recoded(text: str) -> str:
    return quote(unquote_to_bytes(text.replace("+", " ")), safe="~")
