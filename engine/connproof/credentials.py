"""Look up what an account has; say what is missing, never what anything is.

The texts of `auth` are filled here: a name in braces is a variable that the connector declares, or else a credential.
Where an error is raised, no local variable holds one in the clear: crash reporters print those too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from connproof.config import CREDENTIALS
from connproof.draft import xml_text
from connproof.errors import CallWrong
from connproof.model import Account, Auth, Secret, Variable
from connproof.places import JsonValue, Place

__all__ = ["credential", "filled", "matches", "variable"]

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_LINES: Final[Mapping[int, None]] = MappingProxyType({ord("\r"): None, ord("\n"): None})


def credential(account: Account, path: Place, pointer: str, *, multiline: bool = False) -> str:
    """The text at a path of the account's credentials. `pointer` is the config word that asks for it.

    `multiline` is for keys in PEM, which have lines.
    """
    found = _found(account, path)
    if found is None:
        held = ", ".join(sorted(account.credentials)) or "none"
        raise CallWrong(
            f'the account "{account.name}" has no credential "{path}"',
            facts={"needed by": f"connector.json {pointer}", "it has": held},
            fix=f'add "{path}" to the credentials of the account file',
        )
    if _CONTROL.search(found.reveal().translate(_LINES) if multiline else found.reveal()):
        raise CallWrong(
            f'the credential "{path}" of the account "{account.name}" holds a control character',
            fix="write it without one; a line break at its end is the commonest",
        )
    return found.reveal()


def _found(account: Account, path: Place) -> Secret | None:
    document: JsonValue = dict(account.credentials)
    seen = path.find(document)
    return Secret(seen) if isinstance(seen, str) and seen else None


def variable(declared: Variable, account: Account, pointer: str) -> str:
    """The account's value of a variable, which matches its pattern. Raises CallWrong."""
    value = account.variables.get(declared.name)
    if value is None:
        raise CallWrong(
            f'the account "{account.name}" has no variable "{declared.name}"',
            facts={"needed by": f"connector.json {pointer}"},
            fix=f'add "{declared.name}" to the variables of the account file',
        )
    if not matches(declared, value):
        raise CallWrong(
            f'the variable "{declared.name}" of the account "{account.name}" does not match its pattern',
            facts={"pattern": declared.pattern, **({} if declared.secret else {"seen": value})},
        )
    return value


def matches(declared: Variable, value: str) -> bool:
    """Whether the whole value is what the variable's pattern allows."""
    import re2  # most connectors have no variable, and no use for it

    return re2.fullmatch(declared.pattern, value) is not None


def filled(text: str, auth: Auth, account: Account, pointer: str, *, xml: bool = False) -> str:
    """A text of `auth` with its names in braces filled: variables that the connector declares, else credentials.

    For `xml` they are escaped, and CallWrong is raised for a character that no XML may have.
    """

    def fill(name: str) -> str:
        declared = auth.variables.get(name)
        value = Secret(
            variable(declared, account, pointer) if declared else credential(account, Place.parse(name), pointer)
        )
        if not xml:
            return value.reveal()
        escaped = xml_text(value.reveal())
        if escaped is None:
            raise CallWrong(
                f'"{name}" of the account "{account.name}" has a character that no XML may have',
                facts={"needed by": f"connector.json {pointer}"},
                fix="write it without; it is neither left out nor replaced",
            )
        return escaped

    return CREDENTIALS.sub(lambda found: fill(found[1]), text)
