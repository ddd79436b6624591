"""A bearer token (RFC 6750) in the Authorization header; also an OAuth 2.0 access token as given."""

from __future__ import annotations

from connproof.auth.signing import Signing
from connproof.credentials import credential
from connproof.draft import Draft
from connproof.model import Account, Auth


def sign(draft: Draft, auth: Auth, account: Account, _context: Signing) -> Draft:
    assert auth.token_path is not None, "config gives it a default"
    token = credential(account, auth.token_path, f"{auth.pointer}/token_path")
    return draft.with_header("authorization", auth.prefix + token)
