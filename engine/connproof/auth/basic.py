"""HTTP Basic (RFC 7617): both sides are templates over the credentials, either may be blank."""

from __future__ import annotations

import base64

from connproof.auth.signing import Signing
from connproof.credentials import filled
from connproof.draft import Draft
from connproof.model import Account, Auth


def sign(draft: Draft, auth: Auth, account: Account, _context: Signing) -> Draft:
    sides = ((auth.username, "username"), (auth.password, "password"))
    pair = ":".join(filled(text, auth, account, f"{auth.pointer}/{word}") for text, word in sides)
    return draft.with_header("authorization", f"Basic {base64.b64encode(pair.encode()).decode()}")
