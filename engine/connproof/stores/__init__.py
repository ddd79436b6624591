"""Where configs, overrides and accounts are kept: a folder by default, a database for many machines.

A store gives bytes and says when they changed; it never says what they mean. Configs and overrides may stand
in either; credentials are in the account's file alone.
"""

from __future__ import annotations

from connproof.stores.database import DatabaseStore
from connproof.stores.files import FileStore, account_in
from connproof.stores.keys import AccountStore, ConfigStore, Kept, Key, Level, as_layer, base, revision_of

__all__ = [
    "AccountStore",
    "ConfigStore",
    "DatabaseStore",
    "FileStore",
    "Kept",
    "Key",
    "Level",
    "account_in",
    "as_layer",
    "base",
    "revision_of",
]
