"""HTTP Basic (RFC 7617): both sides are templates over the credentials, either may be blank."""

from __future__ import annotations

import base64

from connproof.auth.signing import Signing
from connproof.credentials import filled
from connproof.draft import Draft
from connproof.model import Account, Auth


def sign(draft: Draft, auth: Auth, account: Account, _context: Signing) -> Draft:
    username = filled(auth.username, auth, account, f"{auth.pointer}/username")
    password = filled(auth.password, auth, account, f"{auth.pointer}/password")
    pair = base64.b64encode(f"{username}:{password}".encode()).decode()
    return draft.with_header("authorization", f"Basic {pair}")
