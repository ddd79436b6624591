"""The `auth` of a config: read into an Auth, and held against the rest of the document.

In its texts a name in braces is a variable that the connector declares, or else a path into the account's
credentials. A URL holds variables alone: credentials stand in slots, never in an address.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from connproof.config.conditions import read_words
from connproof.config.notes import BRACES, CREDENTIALS, Notes, origin_fault
from connproof.config.variables import with_samples
from connproof.documents import child
from connproof.links import origin
from connproof.model import Assertion, Auth, Connector, TokenAnswer, TokenEndpoint, Variable
from connproof.places import JsonValue, Place

__all__ = ["judge_auth", "read_auth"]

_OAUTH1_PATHS: Final = ("consumer_key", "consumer_secret", "token", "token_secret")
# RFC 6749 says where these stand; where it does not, nothing is guessed.
_STANDARD: Final = ("access_token", "refresh_token", "expires_in", "scope", "error", "error_description")
_OWN: Final = ("expires_at", "refresh_expires_in")


def read_auth(said: dict[str, Any], variables: Mapping[str, Variable], notes: Notes) -> Auth:
    """The auth that a valid document says. What cannot be read as it stands is noted."""
    return _Reading(variables, notes).auth(said)


class _Reading:
    def __init__(self, variables: Mapping[str, Variable], notes: Notes) -> None:
        self._variables = variables
        self._notes = notes

    def auth(self, said: dict[str, Any]) -> Auth:
        words: dict[str, Any] = {"type": said["type"], "pointer": "/auth", "variables": self._variables}
        words["headers"] = self._texts(said, "headers", "/auth")
        if "prefix" in said:
            words["prefix"] = said["prefix"]
        match said["type"]:
            case "api_key":
                name = said["name"].lower() if said["in"] == "header" else said["name"]
                words |= {
                    "name": name,
                    "place": said["in"],
                    "key_path": self._path(said, "key_path", "/auth", "api_key"),
                }
            case "basic" | "ws_security":
                words |= {word: self._text(said, word, "/auth", f"{{{word}}}") for word in ("username", "password")}
                words["digest"] = said.get("digest", False)
            case "bearer" | "oauth2":
                words["token_path"] = self._path(said, "token_path", "/auth", "access_token")
                words["prefix"] = said.get("prefix", "Bearer ")
                if "token" in said:
                    words["token"] = self._endpoint(said["token"], "/auth/token")
                rotation = said.get("rotation")
                words["rotation"] = rotation["grace_s"] if isinstance(rotation, dict) else rotation
            case "oauth1":
                words |= {f"{w}_path": self._path(said, f"{w}_path", "/auth", w) for w in _OAUTH1_PATHS}
                words["realm"] = self._text(said, "realm", "/auth", None)
                words["realm_format"] = said.get("realm_format", "as_is")
            case "session":
                words["token_path"] = self._path(said, "token_path", "/auth", "session_token")
                words["name"] = said["name"].lower()
                words["token"] = self._endpoint(
                    {"grant": "none", "client_auth": "none", **said["login"]}, "/auth/login"
                )
            case _:
                pass
        return Auth(**words)

    def _endpoint(self, said: dict[str, Any], pointer: str) -> TokenEndpoint:
        method = said.get("method", "POST")
        scope = said.get("scope", [])
        paths: dict[str, Any] = {
            word: self._path(said, word, pointer, word.removesuffix("_path"))
            for word in ("client_id_path", "client_secret_path", "refresh_token_path")
        }
        codes: dict[str, Any] = {
            word: tuple(said.get(word, ())) for word in ("revoked_when", "misconfigured_when", "transient_when")
        }
        return TokenEndpoint(
            url=said["url"],
            pointer=pointer,
            grant=said.get("grant", "refresh_token"),
            refresh_url=said.get("refresh_url"),
            method=method,
            encode=said.get("encode", "query" if method == "GET" else "form"),
            body=self._text(said, "body", pointer, None),
            client_auth=said["client_auth"],
            client_auth_prefix=said.get("client_auth_prefix", "Basic "),
            client_auth_encoded=said.get("client_auth_encoded", False),
            **paths,
            params=self._values(said, "params", pointer),
            headers=self._texts(said, "headers", pointer),
            scope=tuple(scope if isinstance(scope, list) else [scope]),
            scope_separator=said.get("scope_separator", " "),
            jwt=self._assertion(said, said["jwt"], f"{pointer}/jwt") if "jwt" in said else None,
            answer=self._answer(said.get("response", {}), f"{pointer}/response"),
            lifetime_s=said.get("lifetime_s"),
            assumed_lifetime_s=said.get("assumed_lifetime_s"),
            **codes,
        )

    def _assertion(self, endpoint: dict[str, Any], said: dict[str, Any], pointer: str) -> Assertion:
        # The issuer is the client, and RFC 7523 wants the subject of a client's assertion to be the client too.
        client = f"{{{endpoint.get('client_id_path', 'client_id')}}}"
        issuer = self._text(said, "issuer", pointer, client)
        return Assertion(
            algorithm=said["algorithm"],
            pointer=pointer,
            key_path=self._path(said, "key_path", pointer, None),
            key_id_path=self._path(said, "key_id_path", pointer, None),
            issuer=issuer or "",
            subject=self._text(said, "subject", pointer, None) if "subject" in said else issuer,
            audience=self._text(said, "audience", pointer, None),
            lifetime_s=said.get("lifetime_s", 300),
            claims=self._values(said, "claims", pointer),
        )

    def _answer(self, said: dict[str, Any], pointer: str) -> TokenAnswer:
        words: dict[str, Any] = {
            word: read_words(said.get(word, word if word in _STANDARD else []), child(pointer, word), self._notes)
            for word in (*_STANDARD, *_OWN)
        }
        units = {word: said[word] for word in ("expires_in_unit", "expires_at_unit") if word in said}
        return TokenAnswer(**words, **units)

    def _path(self, said: Mapping[str, Any], word: str, pointer: str, default: str | None) -> Place | None:
        text = said.get(word, default)
        return None if text is None else self._notes.one_place(text, child(pointer, word))

    def _text(self, said: Mapping[str, Any], word: str, pointer: str, default: str | None) -> Any:
        text = said.get(word, default)
        if text is not None:
            self._names(text, child(pointer, word))
        return text

    def _names(self, text: str, pointer: str) -> None:
        for name in CREDENTIALS.findall(text):
            if name not in self._variables:
                self._notes.one_place(name, pointer)

    def _texts(self, said: Mapping[str, Any], word: str, pointer: str) -> tuple[tuple[str, str], ...]:
        at = child(pointer, word)
        for name, text in said.get(word, {}).items():
            self._names(text, child(at, name))
        return tuple((name.lower(), text) for name, text in said.get(word, {}).items())

    def _values(self, said: Mapping[str, Any], word: str, pointer: str) -> tuple[tuple[str, JsonValue], ...]:
        at = child(pointer, word)
        for name, value in said.get(word, {}).items():
            if isinstance(value, str):
                self._names(value, child(at, name))
        return tuple(said.get(word, {}).items())


def judge_auth(connector: Connector, notes: Notes, *, allow_loopback: bool) -> None:
    """Note all in the auth that contradicts itself or could not be sent. Header names are judged elsewhere."""
    auth = connector.auth
    for pointer, url in auth.urls:
        _judge_url(url, pointer, auth, notes, allow_loopback=allow_loopback)
    if auth.token is not None:
        _judge_endpoint(auth.token, notes)
        if auth.token_path is not None and not _can_be_written(auth.token_path):
            hint = "name members alone: a fresh token is written there"
            notes.wrong(
                f"{auth.pointer}/token_path", "leads into a list, and the token endpoint's answer goes there", hint
            )
    elif auth.rotation is not None:
        notes.wrong(
            f"{auth.pointer}/rotation", 'says nothing without "token"', "declare the token endpoint, or leave it out"
        )
    if auth.realm is None and auth.realm_format != "as_is":
        notes.wrong(f"{auth.pointer}/realm_format", 'says nothing without "realm"')
    if auth.type == "ws_security":
        for operation in connector.operations():
            if not isinstance(operation.body, str) or operation.body.count("{ws_security}") != 1:
                hint = "write the SOAP envelope there, with {ws_security} in its header"
                notes.wrong(operation.pointer, '"body" is no text that has {ws_security} once', hint)
            if operation.encode != "xml":
                hint = "else a value of the call could write elements beside the credentials"
                notes.wrong(operation.pointer, '"encode" is not "xml"', hint)


def _judge_url(url: str, pointer: str, auth: Auth, notes: Notes, *, allow_loopback: bool) -> None:
    for name in BRACES.findall(url):
        declared = auth.variables.get(name)
        if declared is None:
            notes.wrong(
                pointer, f"{{{name}}} is not declared", "declare it under variables; no credential stands in a URL"
            )
        elif declared.source != "account":
            notes.wrong(
                pointer, f"{{{name}}} comes from a {declared.source}", "only the account's variables are known before"
            )
    plain = with_samples(url)
    fault = origin_fault(plain, allow_loopback=allow_loopback)
    if fault:
        notes.wrong(pointer, *fault)
        return
    path = plain[len(origin(plain)) :].partition("?")[0]
    if any(part in {".", ".."} for part in path.split("/")):
        notes.wrong(pointer, "has a dot segment")
    if not plain.isascii():
        notes.wrong(pointer, "has a character outside ASCII", "percent-encode it as UTF-8")
    if "#" in plain:
        notes.wrong(pointer, "has a fragment", "leave it out: it is never sent")
    if "{" in plain or "}" in plain:
        notes.wrong(pointer, "has a brace that is not around a name", "a name has letters, digits and _ alone")


def _judge_endpoint(endpoint: TokenEndpoint, notes: Notes) -> None:
    at, said = endpoint.pointer, endpoint
    signs = [
        w
        for w, yes in (("grant", said.grant == "jwt_bearer"), ("client_auth", said.client_auth.endswith("_jwt")))
        if yes
    ]
    if signs and said.jwt is None:
        value = said.grant if signs[0] == "grant" else said.client_auth
        notes.wrong(
            f"{at}/{signs[0]}", f'"{value}" needs "jwt" beside it', "say who signs it, with which key and for whom"
        )
    if said.jwt is not None and not signs:
        notes.wrong(
            f"{at}/jwt", "is used by nothing", 'set "grant" to "jwt_bearer", or "client_auth" to "private_key_jwt"'
        )
    if len(signs) == 2:
        notes.wrong(
            f"{at}/client_auth", "would need a second assertion beside that of jwt_bearer", "use another client_auth"
        )
    if (said.encode == "xml") is (said.body is None):
        missing, word = ("body", "encode") if said.body is None else ("encode", "body")
        notes.wrong(
            f"{at}/{word}", f'says nothing without "{missing}"', 'write the document as "body", and "encode": "xml"'
        )
    if said.body is not None and (unsent := _beside_the_body(said)):
        notes.wrong(
            f"{at}/body", f'is all that is sent, and "{unsent[0]}" would be sent nowhere', "write it into the body"
        )
    if said.pointer == "/auth/login" and not said.params and said.body is None:
        notes.wrong(at, '"params" is missing', "a login sends something")
    if said.method == "GET" and said.encode != "query":
        notes.wrong(f"{at}/encode", "GET has no body", 'say "query", or leave it out')
    if said.refresh_url is not None and said.grant != "refresh_token":
        notes.wrong(f"{at}/refresh_url", f'is never asked: "grant" is "{said.grant}"', "leave it out")
    if said.refresh_token_path is not None and not _can_be_written(said.refresh_token_path):
        notes.wrong(
            f"{at}/refresh_token_path", "leads into a list, and a new refresh token goes there", "name members alone"
        )


def _beside_the_body(said: TokenEndpoint) -> list[str]:
    """The words whose parameters have no place in a body that is written whole."""
    words = {
        "params": bool(said.params),
        "scope": bool(said.scope),
        "grant": said.grant != "none",
        "client_auth": said.client_auth in {"body", "id_only", "private_key_jwt"},
    }
    return [word for word, is_said in words.items() if is_said]


def _can_be_written(place: Place) -> bool:
    return bool(place.steps) and all(isinstance(step, str) for step in place.steps)
