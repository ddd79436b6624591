"""Write the request that asks for a token: a refresh, a grant of another kind, a code's exchange, or a login.

What is sent where is the config's to say; the URL holds no credential but where the config writes the
parameters into the query. Sending it, and keeping what comes back, is for others.
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass, replace
from typing import Final, Literal
from urllib.parse import quote_plus

from connproof.auth.assertion import assertion
from connproof.auth.signing import Signing
from connproof.config import BRACES
from connproof.credentials import credential, filled, variable
from connproof.draft import Draft, as_text
from connproof.errors import CallWrong
from connproof.links import origin
from connproof.model import Account, Auth, Secret, TokenEndpoint
from connproof.places import JsonValue, Place, put

__all__ = ["Code", "Pkce", "pkce", "token_draft", "token_url", "with_tokens"]

_JWT_BEARER: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_CLIENT_ASSERTION: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@dataclass(frozen=True, slots=True)
class Code:
    """What a user's consent gave (RFC 6749, section 4.1.3). `verifier` is that of the challenge, where one was sent."""

    code: Secret
    redirect_uri: str
    verifier: Secret | None = None


@dataclass(frozen=True, slots=True)
class Pkce:
    """A proof key (RFC 7636): the challenge goes with the user to the provider, the verifier with the code."""

    verifier: Secret
    challenge: str
    method: str = "S256"


def pkce(context: Signing) -> Pkce:
    """A new proof key. Raises ValueError where the context's nonces are shorter than a verifier may be."""
    verifier = context.nonce() + context.nonce()
    if not 43 <= len(verifier) <= 128:
        raise ValueError("a PKCE verifier has 43 to 128 characters: give nonces of 22 to 64")
    digest = hashlib.sha256(verifier.encode("ascii")).digest()
    return Pkce(Secret(verifier), base64.urlsafe_b64encode(digest).decode().rstrip("="))


def token_draft(auth: Auth, account: Account, context: Signing, *, code: Code | None = None) -> Draft:
    """The request for a token, complete. With a code, its first exchange; else as `token.grant` says.

    Raises CallWrong where the config has no token endpoint, or the account lacks what it asks for.
    """
    endpoint = auth.token
    if endpoint is None:
        raise CallWrong(
            f'the connector\'s auth, "{auth.type}", does not say where a token is asked for',
            facts={"seen at": f"connector.json {auth.pointer}"},
            fix="give the account a token that is valid, or declare the token endpoint",
        )
    url = token_url(auth, account, refreshing=code is None and endpoint.grant == "refresh_token")
    return _Asking(endpoint, auth, account, context, url).draft(code)


def token_url(auth: Auth, account: Account, *, refreshing: bool = False) -> str:
    """Where a token is asked for: the config's URL, its names in braces filled with the account's variables.

    Raises CallWrong for a variable that is missing, that its pattern refuses, or with which there is no URL.
    """
    endpoint = auth.token
    assert endpoint is not None, "who asks for a token has an endpoint"
    template, word = endpoint.url, "url"
    if refreshing and endpoint.refresh_url is not None:
        template, word = endpoint.refresh_url, "refresh_url"
    pointer = f"{endpoint.pointer}/{word}"
    host_ends = len(template) - len(template.partition("//")[2].partition("/")[2])

    def fill(found: re.Match[str]) -> str:
        declared = auth.variables[found[1]]
        value = variable(declared, account, pointer)
        return declared.for_host(value) if 0 < found.start() < host_ends else value

    url = BRACES.sub(fill, template)
    try:
        origin(url.encode("ascii").decode())
    except ValueError as wrong:
        raise CallWrong(
            f"the token URL with the account's variables is not a URL: {str(wrong).partition(': ')[2]}",
            facts={"needed by": f"connector.json {pointer}"},
        ) from None
    return url


def with_tokens(auth: Auth, account: Account, *, access: Secret, refresh: Secret | None = None) -> Account:
    """The account with these tokens where its credentials have them: as `sign` and `token_draft` look for them.

    Raises CallWrong where the credentials have something else on the way to that place.
    """
    assert auth.token_path is not None, "what asks for tokens says where they stand"
    account = _with_token(account, auth.token_path, access)
    if refresh is not None and auth.token is not None and auth.token.refresh_token_path is not None:
        account = _with_token(account, auth.token.refresh_token_path, refresh)
    return account


def _with_token(account: Account, place: Place, token: Secret) -> Account:
    after = _written(account, place, token)
    if after is None:
        raise CallWrong(
            f'the credentials of the account "{account.name}" have no room for "{place}"',
            facts={"seen": "what stands on the way is no object"},
            fix="make it an object, or name another place in the config",
        )
    return after


def _written(account: Account, place: Place, token: Secret) -> Account | None:
    try:
        credentials = put(dict(account.credentials), place, token.reveal())
    except ValueError:
        return None
    assert isinstance(credentials, dict), "a place has a name"
    return Account(account.name, credentials, account.variables)


@dataclass(frozen=True, slots=True)
class _Asking:
    """One request for a token: of whom, for whom, and when."""

    endpoint: TokenEndpoint
    auth: Auth
    account: Account
    context: Signing
    url: str

    def draft(self, code: Code | None) -> Draft:
        endpoint = self.endpoint
        draft = Draft(endpoint.method, self.url)
        for name, text in endpoint.headers:
            draft = draft.with_header(name, filled(text, self.auth, self.account, f"{endpoint.pointer}/headers/{name}"))
        if endpoint.client_auth in {"basic", "bearer_jwt"}:
            draft = draft.with_header("authorization", self._authorization())
        if endpoint.body is not None:
            whole = filled(endpoint.body, self.auth, self.account, f"{endpoint.pointer}/body", xml=True)
            return replace(draft, body=whole, encode="xml")
        params: dict[str, JsonValue] = {
            **(self._grant() if code is None else _exchange(code)),
            **({"scope": endpoint.scope_separator.join(endpoint.scope)} if endpoint.scope else {}),
            **self._identity(),
            **{name: self._filled(value, f"params/{name}") for name, value in endpoint.params},
        }
        if endpoint.encode == "query":
            return replace(draft, query=tuple((name, as_text(value)) for name, value in params.items()))
        return replace(draft, body=params, encode=endpoint.encode) if params else draft

    def _grant(self) -> dict[str, JsonValue]:
        """By what right: RFC 6749, sections 4.4.2 and 6; RFC 7523, section 2.1."""
        match self.endpoint.grant:
            case "refresh_token":
                return {"grant_type": "refresh_token", "refresh_token": self._credential("refresh_token_path")}
            case "client_credentials":
                return {"grant_type": "client_credentials"}
            case "jwt_bearer":
                return {"grant_type": _JWT_BEARER, "assertion": self._assertion()}
            case "none":
                return {}

    def _identity(self) -> dict[str, JsonValue]:
        """Who the client is, among the parameters: RFC 6749, section 2.3.1; RFC 7523, section 2.2."""
        match self.endpoint.client_auth:
            case "body":
                return {
                    "client_id": self._credential("client_id_path"),
                    "client_secret": self._credential("client_secret_path"),
                }
            case "id_only":
                return {"client_id": self._credential("client_id_path")}
            case "private_key_jwt":
                return {"client_assertion_type": _CLIENT_ASSERTION, "client_assertion": self._assertion()}
            case "basic" | "bearer_jwt" | "none":
                return {}

    def _authorization(self) -> str:
        """Who the client is, in the header: the pair of HTTP Basic, or the assertion."""
        if self.endpoint.client_auth == "bearer_jwt":
            return f"Bearer {self._assertion()}"
        sides = [self._credential("client_id_path"), self._credential("client_secret_path")]
        pair = ":".join(quote_plus(side) if self.endpoint.client_auth_encoded else side for side in sides)
        return self.endpoint.client_auth_prefix + base64.b64encode(pair.encode()).decode()

    def _assertion(self) -> str:
        assert self.endpoint.jwt is not None, "config demands it"
        return assertion(self.endpoint.jwt, self.auth, self.account, self.context, audience=self.url)

    def _credential(self, word: Literal["client_id_path", "client_secret_path", "refresh_token_path"]) -> str:
        path: Place | None = getattr(self.endpoint, word)
        assert path is not None, "config gives it a default"
        return credential(self.account, path, f"{self.endpoint.pointer}/{word}")

    def _filled(self, value: JsonValue, word: str) -> JsonValue:
        if not isinstance(value, str):
            return value
        return filled(value, self.auth, self.account, f"{self.endpoint.pointer}/{word}")


def _exchange(code: Code) -> dict[str, JsonValue]:
    """The parameters of RFC 6749, section 4.1.3, and RFC 7636, section 4.5."""
    return {
        "grant_type": "authorization_code",
        "code": code.code.reveal(),
        "redirect_uri": code.redirect_uri,
        **({"code_verifier": code.verifier.reveal()} if code.verifier else {}),
    }
