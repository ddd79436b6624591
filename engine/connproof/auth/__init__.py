"""Sign a request: put the account's credentials where the config says, and nowhere else.

A scheme is a function from draft, auth and credentials to the signed draft; no I/O.
To add one: write a file here, then list it in SCHEMES.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, TypeAlias

from connproof.auth import api_key, basic, bearer, none
from connproof.draft import Draft
from connproof.model import Account, Auth

__all__ = ["SCHEMES", "Scheme", "sign"]

Scheme: TypeAlias = Callable[[Draft, Auth, Account], Draft]

SCHEMES: Final[Mapping[str, Scheme]] = MappingProxyType(
    {
        "none": none.sign,
        "api_key": api_key.sign,
        "basic": basic.sign,
        "bearer": bearer.sign,
        "oauth2": bearer.sign,
    }
)


def sign(draft: Draft, auth: Auth, account: Account) -> Draft:
    """The draft with the account's credentials in place. Raises CallWrong where one is missing."""
    return SCHEMES[auth.type](draft, auth, account)
