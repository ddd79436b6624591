"""Where configs, overrides and accounts are kept: a folder by default, a database for many machines. And tokens.

A store of configs gives bytes and says when they changed; it never says what they mean. Configs and overrides may
stand in either kind; credentials are in the account's file alone. Tokens, which change while they are used, have
stores of their own.
"""

from __future__ import annotations

from connproof.stores.database import DatabaseStore
from connproof.stores.files import FileStore, account_in
from connproof.stores.keys import AccountStore, ConfigStore, Kept, Key, Level, as_layer, base, revision_of
from connproof.stores.sealing import KEY_VARIABLE, Sealing, add_to_keyring, new_key, sealing_from
from connproof.stores.token_database import DatabaseTokens
from connproof.stores.token_memory import MemoryTokens
from connproof.stores.token_store import Stored, TokenStore

__all__ = [
    "KEY_VARIABLE",
    "AccountStore",
    "ConfigStore",
    "DatabaseStore",
    "DatabaseTokens",
    "FileStore",
    "Kept",
    "Key",
    "Level",
    "MemoryTokens",
    "Sealing",
    "Stored",
    "TokenStore",
    "account_in",
    "add_to_keyring",
    "as_layer",
    "base",
    "new_key",
    "revision_of",
    "sealing_from",
]
