"""A WS-Security UsernameToken (OASIS, profile 1.1) in the SOAP header, where the body has `{ws_security}`.

The envelope is the operation's own text; the element written here brings its own namespaces. The body must
name its place exactly once: a second one came from a caller's value, and would carry the password elsewhere.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import replace
from datetime import UTC
from typing import Final

from connproof.auth.signing import Signing
from connproof.credentials import filled
from connproof.draft import Draft
from connproof.errors import CallWrong
from connproof.model import Account, Auth, Secret

_SLOT: Final = "{ws_security}"
_WSS: Final = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss"


def sign(draft: Draft, auth: Auth, account: Account, context: Signing) -> Draft:
    body = draft.body
    if not isinstance(body, str) or body.count(_SLOT) != 1:
        seen = f"it stands there {body.count(_SLOT)} times" if isinstance(body, str) else "the body is no text"
        raise CallWrong(
            f"the body must have {_SLOT} once, in its SOAP header",
            facts={"seen": seen, "needed by": f"connector.json {auth.pointer}"},
            fix="write the envelope as the operation's body; no value of the call may hold those braces",
        )
    return replace(draft, body=body.replace(_SLOT, _element(auth, account, context)))


def _element(auth: Auth, account: Account, context: Signing) -> str:
    username = Secret(filled(auth.username, auth, account, f"{auth.pointer}/username", xml=True))
    password = filled(auth.password, auth, account, f"{auth.pointer}/password", xml=not auth.digest)
    inner, kind = "", "PasswordText"
    if auth.digest:
        nonce, created = context.nonce().encode(), context.now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        digest = hashlib.sha1(nonce + created.encode() + password.encode(), usedforsecurity=False)  # the profile's own
        password, kind = base64.b64encode(digest.digest()).decode(), "PasswordDigest"
        inner = (
            f'<wsse:Nonce EncodingType="{_WSS}-soap-message-security-1.0#Base64Binary">'
            f"{base64.b64encode(nonce).decode()}</wsse:Nonce><wsu:Created>{created}</wsu:Created>"
        )
    return (
        f'<wsse:Security xmlns:wsse="{_WSS}-wssecurity-secext-1.0.xsd" xmlns:wsu="{_WSS}-wssecurity-utility-1.0.xsd">'
        f"<wsse:UsernameToken><wsse:Username>{username.reveal()}</wsse:Username>"
        f'<wsse:Password Type="{_WSS}-username-token-profile-1.0#{kind}">{password}</wsse:Password>'
        f"{inner}</wsse:UsernameToken></wsse:Security>"
    )
