"""Look up a credential of an account; say which one is missing, never what one is."""

from __future__ import annotations

from connproof.errors import CallWrong
from connproof.model import Account
from connproof.places import JsonValue, Place

__all__ = ["credential"]


def credential(account: Account, path: Place, pointer: str) -> str:
    """The text at a path of the account's credentials. `pointer` is the config word that asks for it."""
    document: JsonValue = dict(account.credentials)
    seen = path.find(document)
    if isinstance(seen, str) and any(c < " " or c == "\x7f" for c in seen):
        raise CallWrong(
            f'the credential "{path}" of the account "{account.name}" holds a control character',
            fix="write it without one; a line break at its end is the commonest",
        )
    if isinstance(seen, str) and seen:
        return seen
    raise CallWrong(
        f'the account "{account.name}" has no credential "{path}"',
        facts={"needed by": f"connector.json {pointer}", "it has": ", ".join(sorted(account.credentials)) or "none"},
        fix=f'add "{path}" to the credentials of the account file',
    )
