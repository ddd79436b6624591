"""Sign a request: put the account's credentials where the config says, and nowhere else.

A scheme is a function from draft, auth, account and signing context to the signed draft; no I/O, and no time or
randomness but the context's. It may add several headers. It comes last: what signs a URL signs it as it goes out.
To add one: write a file here, then list it in SCHEMES. `token_request` and `token_response` are the two
halves of getting a token; no scheme needs them.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from connproof.auth import api_key, basic, bearer, none, oauth1, session, ws_security
from connproof.auth.signing import Scheme, Signing
from connproof.credentials import filled
from connproof.draft import Draft
from connproof.model import Account, Auth

__all__ = ["SCHEMES", "Scheme", "Signing", "sign"]

SCHEMES: Final[Mapping[str, Scheme]] = MappingProxyType(
    {
        "none": none.sign,
        "api_key": api_key.sign,
        "basic": basic.sign,
        "bearer": bearer.sign,
        "oauth1": oauth1.sign,
        "oauth2": bearer.sign,
        "session": session.sign,
        "ws_security": ws_security.sign,
    }
)


def sign(draft: Draft, auth: Auth, account: Account, context: Signing | None = None) -> Draft:
    """The draft with the account's credentials in place. Raises CallWrong where one is missing.

    Without a context, the machine's own time and randomness are used.
    """
    for name, text in auth.headers:
        draft = draft.with_header(name, filled(text, auth, account, f"{auth.pointer}/headers/{name}"))
    return SCHEMES[auth.type](draft, auth, account, context or Signing.at())
