"""A key in a header or a query parameter."""

from __future__ import annotations

from connproof.auth.signing import Signing
from connproof.credentials import credential
from connproof.draft import Draft, has_parameter
from connproof.model import Account, Auth


def sign(draft: Draft, auth: Auth, account: Account, _context: Signing) -> Draft:
    assert auth.key_path is not None, "config gives it a default"
    key = auth.prefix + credential(account, auth.key_path, f"{auth.pointer}/key_path")
    if auth.place == "header":
        return draft.with_header(auth.name, key)
    # A followed URL may carry the key already: it stays as the provider wrote it.
    return draft if has_parameter(draft.url, auth.name) else draft.with_query(auth.name, key)
