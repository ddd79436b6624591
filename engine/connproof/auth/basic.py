"""HTTP Basic (RFC 7617): both sides are templates over the credentials, either may be blank."""

from __future__ import annotations

import base64

from connproof.config import CREDENTIALS
from connproof.credentials import credential
from connproof.draft import Draft
from connproof.model import Account, Auth
from connproof.places import Place


def sign(draft: Draft, auth: Auth, account: Account) -> Draft:
    username = _side(auth.username, "username", auth, account)
    password = _side(auth.password, "password", auth, account)
    pair = base64.b64encode(f"{username}:{password}".encode()).decode()
    return draft.with_header("authorization", f"Basic {pair}")


def _side(template: str, word: str, auth: Auth, account: Account) -> str:
    return CREDENTIALS.sub(lambda found: credential(account, Place.parse(found[1]), f"{auth.pointer}/{word}"), template)
