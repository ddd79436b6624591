"""Seal a token before it is written, open it when it is read, and mark it so that two can be told to be the same.

A sealed text is bound to its account and column: moved to another it does not open. What does not open gives
None, never an exception, so that no byte of it can stand in a message. A mark is a keyed digest: it says
nothing about the token to whoever has not the key.

Keys are 32 bytes as base64url, newest first: the newest seals, every one opens and marks.
"""

from __future__ import annotations

import base64
import hmac
import json
import secrets
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from connproof.errors import CallWrong
from connproof.model import Secret

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

__all__ = ["KEY_VARIABLE", "Sealing", "add_to_keyring", "new_key", "sealing_from"]

KEY_VARIABLE: Final = "CONNPROOF_TOKEN_KEY"
_KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12  # NIST SP 800-38D, section 8.2.2: drawn at random for each seal
_IN_KEYRING: Final = ("connproof", "token-key")
_HOW: Final = f"make one with `connproof accounts key`, and set {KEY_VARIABLE} to it; several are separated by commas"


class Sealing:
    """What is sealed under the keys of one installation."""

    def __init__(self, keys: Sequence[str]) -> None:
        """`keys` as `new_key` makes them, newest first. Raises CallWrong."""
        if not keys:
            raise CallWrong("tokens are kept sealed, and there is no key for it", fix=_HOW)
        self._keys = [_Key(_bytes_of(key)) for key in keys]

    def seal(self, text: str, *, account: str, column: str) -> str:
        return self._keys[0].seal(text, _bound_to(account, column))

    def open(self, sealed: str, *, account: str, column: str) -> str | None:
        """None where no key opens it: sealed under another, for another place, or damaged."""
        made_by, _, _ = sealed.partition(".")
        opened = (key.open(sealed, _bound_to(account, column)) for key in self._keys if key.name == made_by)
        return next((text for text in opened if text is not None), None)

    def is_newest(self, text: str) -> bool:
        """Whether the newest key made this sealed text, or this mark."""
        return text.startswith(self._keys[0].name)

    def mark(self, token: Secret | None) -> str:
        """The newest key's digest of a token; "" where there is none."""
        return "" if token is None else self._keys[0].mark(token)

    def marks(self, token: Secret | None) -> tuple[str, ...]:
        """The token's digest under every key: a mark that was written before a key was added is among them."""
        return () if token is None else tuple(key.mark(token) for key in self._keys)


class _Key:
    """One key; each use has a key of its own that is derived from it."""

    def __init__(self, key: bytes) -> None:
        self.name: Final = hmac.digest(key, b"connproof: name", "sha256").hex()[:8]
        self._sealing = hmac.digest(key, b"connproof: seal", "sha256")
        self._marking = hmac.digest(key, b"connproof: mark", "sha256")

    def seal(self, text: str, place: bytes) -> str:
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = self._cipher().encrypt(nonce, text.encode(), place)
        return f"{self.name}.{base64.urlsafe_b64encode(nonce + sealed).decode()}"

    def open(self, sealed: str, place: bytes) -> str | None:
        from cryptography.exceptions import InvalidTag

        try:
            data = base64.b64decode(sealed.partition(".")[2], altchars=b"-_", validate=True)
            return self._cipher().decrypt(data[:_NONCE_BYTES], data[_NONCE_BYTES:], place).decode()
        except (InvalidTag, ValueError):  # binascii.Error is one, and so is a nonce cut short
            return None

    def mark(self, token: Secret) -> str:
        return f"{self.name}{hmac.digest(self._marking, token.reveal().encode(), 'sha256').hex()[:32]}"

    def _cipher(self) -> AESGCM:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # most runs seal nothing

        return AESGCM(self._sealing)


def new_key() -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(_KEY_BYTES)).decode()


def sealing_from(environment: Mapping[str, str]) -> Sealing:
    """The keys of CONNPROOF_TOKEN_KEY, else those in the keyring of the operating system. Raises CallWrong."""
    text = environment.get(KEY_VARIABLE) or _in_keyring()
    return Sealing(text.replace(",", " ").split())


def add_to_keyring(key: str) -> None:
    """Put a key before those that are in the keyring: what they sealed still opens. Raises CallWrong."""
    try:
        import keyring
        from keyring.errors import KeyringError
    except ModuleNotFoundError:
        raise CallWrong("the package keyring is not installed", fix="pip install 'connproof[keyring]'") from None
    try:
        keyring.set_password(*_IN_KEYRING, ",".join([key, *filter(None, [keyring.get_password(*_IN_KEYRING)])]))
    except KeyringError as fault:
        raise CallWrong(
            "the keyring of the operating system did not take the key",
            facts={"cause": type(fault).__name__},
            fix=f"unlock it, or keep the key in {KEY_VARIABLE}",
        ) from None


def _in_keyring() -> str:
    """The keys in the keyring, "" where it has none or there is no keyring."""
    try:
        import keyring
        from keyring.errors import KeyringError, NoKeyringError
    except ModuleNotFoundError:
        return ""
    try:
        return keyring.get_password(*_IN_KEYRING) or ""
    except NoKeyringError:
        return ""
    except KeyringError as fault:
        raise CallWrong(
            "the keyring of the operating system did not give the key of the tokens",
            facts={"cause": type(fault).__name__},
            fix=f"unlock it, or set {KEY_VARIABLE}",
        ) from None


def _bytes_of(key: str) -> bytes:
    try:
        data = base64.b64decode(key, altchars=b"-_", validate=True)
    except ValueError:  # binascii.Error is one
        data = b""
    if len(data) != _KEY_BYTES:  # and it is not shown: it may be a key with a letter left out
        raise CallWrong("a key of the tokens is not 32 bytes in base64url", fix=_HOW)
    return data


def _bound_to(account: str, column: str) -> bytes:
    return json.dumps([account, column]).encode()
