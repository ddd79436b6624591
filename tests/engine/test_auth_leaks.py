"""S34: where signing, or asking for a token, ends in an error, neither its text nor any frame of its traceback shows
a credential.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from connproof.auth import Signing, sign
from connproof.auth.token_request import token_draft
from connproof.draft import Draft
from connproof.errors import CallWrong
from connproof.model import Account, Auth
from scripted import BASE, connector

CANARY = "canary-s3cret"
FIXED = Signing(datetime(2026, 11, 23, tzinfo=UTC), lambda: "0123456789abcdef0123456789abcdef")
SOAP = {"method": "POST", "encode": "xml", "body": "{ws_security}"}
JWT = {"algorithm": "RS256", "key_path": "a", "key_id_path": "b", "issuer": "{c}", "subject": "{d}"}


def oauth2(**token: Any) -> dict[str, Any]:
    return {"type": "oauth2", "token": {"url": "https://id.example/t", **token}}


# Each asks for credentials named by single letters: any of them may be the one that is wrong.
SIGNED: dict[str, tuple[dict[str, Any], str]] = {
    "bearer": ({"type": "bearer", "token_path": "a", "headers": {"X-B": "{b} {c}"}}, "abc"),
    "api_key": ({"type": "api_key", "in": "query", "name": "k", "key_path": "a", "headers": {"X-B": "{b}"}}, "ab"),
    "basic": ({"type": "basic", "username": "{a}{b}", "password": "{c}{d}"}, "abcd"),
    "oauth1": (
        {
            "type": "oauth1",
            "realm": "{e}",
            "consumer_key_path": "a",
            "consumer_secret_path": "b",
            "token_path": "c",
            "token_secret_path": "d",
        },
        "abcde",
    ),
    "ws_security": ({"type": "ws_security", "username": "{a}@{b}", "password": "{c}"}, "abc"),
    "ws_security digest": ({"type": "ws_security", "digest": True, "username": "{a}", "password": "{b}"}, "ab"),
}
ASKED: dict[str, tuple[dict[str, Any], str]] = {
    "basic": (
        oauth2(
            client_auth="basic",
            client_id_path="a",
            client_secret_path="b",
            refresh_token_path="c",
            params={"p": "{d}"},
            headers={"X-E": "{e}"},
        ),
        "abcde",
    ),
    "body": (
        oauth2(client_auth="body", client_id_path="a", client_secret_path="b", refresh_token_path="c", method="GET"),
        "abc",
    ),
    "private_key_jwt": (oauth2(client_auth="private_key_jwt", grant="none", jwt=JWT, params={"p": "{e}"}), "abcde"),
    "bearer_jwt": (oauth2(client_auth="bearer_jwt", grant="none", jwt=JWT), "abcd"),
    "login": (
        {
            "type": "session",
            "name": "X-S",
            "login": {"url": "https://id.example/l", "encode": "xml", "body": "<a b='{a}'>{b}</a>"},
        },
        "ab",
    ),
}
WRONG = {"missing": None, "a control character": f"{CANARY}\n\x00", "no text": [CANARY]}


def locals_of(error: BaseException | None) -> Iterator[tuple[str, str]]:
    """Function and repr of every local variable of the engine's frames, through causes and contexts."""
    while error is not None:
        for frame, _ in traceback.walk_tb(error.__traceback__):
            if "/connproof/" in frame.f_code.co_filename:
                yield from ((f"{frame.f_code.co_name}.{name}", repr(value)) for name, value in frame.f_locals.items())
        error = error.__cause__ or error.__context__


def failure(act: Any, auth: Auth, credentials: dict[str, Any]) -> CallWrong:
    with pytest.raises(CallWrong) as said:
        act(auth, Account("acme", credentials))
    return said.value


def signing(auth: Auth, account: Account) -> None:
    sign(Draft("POST", BASE, body="{ws_security}"), auth, account, FIXED)


def asking(auth: Auth, account: Account) -> None:
    token_draft(auth, account, FIXED).request()


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize(
    ("act", "said", "letter", "letters"),
    [
        pytest.param(act, said, letter, letters, id=f"{act.__name__} {name} without {letter}")
        for act, table in ((signing, SIGNED), (asking, ASKED))
        for name, (said, letters) in table.items()
        for letter in letters
    ],
)
def test_S34_an_error_holds_no_credential(
    act: Any, said: dict[str, Any], letter: str, letters: str, wrong: str
) -> None:
    """Whichever is wrong, and whatever was looked up before it."""
    auth = connector(operation=SOAP if said["type"] == "ws_security" else None, auth=said).auth
    held = {name: f"{CANARY}-{name}" for name in letters} | {letter: WRONG[wrong]}

    error = failure(act, auth, held)

    shown = list(locals_of(error))
    assert shown
    assert [] == [name for name, text in shown if CANARY in text]
    assert CANARY not in "".join(traceback.format_exception(error))


@pytest.mark.parametrize("name", ["private_key_jwt", "bearer_jwt"])
def test_S34_a_key_that_is_none_is_in_no_frame(name: str) -> None:
    """Nor in those of the library that could not read it."""
    said, letters = ASKED[name]

    error = failure(asking, connector(auth=said).auth, {letter: f"{CANARY}-{letter}" for letter in letters})

    assert "is no key for RS256" in str(error)
    assert [] == [frame for frame, text in locals_of(error) if CANARY in text]
    assert None is error.__context__
