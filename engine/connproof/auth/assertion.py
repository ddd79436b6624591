"""A signed JWT (RFC 7519) that stands for the client or for a user (RFC 7523). Its key stays here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connproof.auth.signing import Signing
from connproof.credentials import credential, filled
from connproof.errors import CallWrong
from connproof.model import Account, Assertion, Auth, Secret
from connproof.places import JsonValue, Place

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

__all__ = ["assertion"]


def assertion(said: Assertion, auth: Auth, account: Account, context: Signing, *, audience: str) -> str:
    """The assertion in its compact form. `audience` is whom it is for where the config names nobody.

    Raises CallWrong for a key that is missing, or is none for the algorithm.
    """
    signed = _signed(said, auth, account, context, audience=audience)
    if signed is None:  # told here, where neither the key nor the library's words about it are at hand
        raise CallWrong(
            f'the credential "{said.key_path}" of the account "{account.name}" is no key for {said.algorithm}',
            facts={"needed by": f"connector.json {said.pointer}/key_path"},
            fix=(
                "give the shared secret as a text"
                if said.algorithm == "HS256"
                else "give the private key as PEM text, with its BEGIN and END lines and without a passphrase"
            ),
        )
    return signed


def _signed(said: Assertion, auth: Auth, account: Account, context: Signing, *, audience: str) -> str | None:
    import jwt  # with cryptography behind it, slower to import than all of the engine
    from cryptography.exceptions import UnsupportedAlgorithm

    def held(place: Place | None, word: str) -> Secret | None:
        at = f"{said.pointer}/{word}"
        return None if place is None else Secret(credential(account, place, at, multiline=word == "key_path"))

    def text(template: str, word: str) -> str:
        return filled(template, auth, account, f"{said.pointer}/{word}")

    key, key_id = held(said.key_path, "key_path"), held(said.key_id_path, "key_id_path")
    assert key is not None, "config demands it"
    issued = int(context.now.timestamp())
    claims: dict[str, JsonValue] = {
        "iss": text(said.issuer, "issuer"),
        **({} if said.subject is None else {"sub": text(said.subject, "subject")}),
        "aud": audience if said.audience is None else text(said.audience, "audience"),
        "iat": issued,
        "exp": issued + said.lifetime_s,
        "jti": context.nonce(),
        **{name: text(v, f"claims/{name}") if isinstance(v, str) else v for name, v in said.claims},
    }
    headers = {"kid": key_id.reveal()} if key_id else None
    try:
        return jwt.encode(claims, _key(key.reveal(), said.algorithm), algorithm=said.algorithm, headers=headers)
    except (jwt.PyJWTError, UnsupportedAlgorithm, ValueError, TypeError):
        return None


def _key(text: str, algorithm: str) -> str | rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey:
    """The key as the algorithm wants it. Raises ValueError, TypeError, UnsupportedAlgorithm."""
    from cryptography.hazmat.primitives.asymmetric import ec, rsa
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    if algorithm == "HS256":
        return text
    key = load_pem_private_key(text.encode(), password=None)
    if isinstance(key, rsa.RSAPrivateKey) and algorithm in {"RS256", "PS256"}:
        return key
    if isinstance(key, ec.EllipticCurvePrivateKey) and algorithm == "ES256" and key.curve.name == "secp256r1":
        return key
    raise ValueError("a key of another kind")
