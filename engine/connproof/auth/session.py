"""A session token that a login gave, in the header that the config names. `token_request` writes the login."""

from __future__ import annotations

from connproof.auth.signing import Signing
from connproof.credentials import credential
from connproof.draft import Draft
from connproof.model import Account, Auth


def sign(draft: Draft, auth: Auth, account: Account, _context: Signing) -> Draft:
    assert auth.token_path is not None, "config gives it a default"
    token = credential(account, auth.token_path, f"{auth.pointer}/token_path")
    return draft.with_header(auth.name, auth.prefix + token)
