"""Resume tokens from one release to the next: an old one still leads on, and what cannot is refused with a reason."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import pytest

from connproof.errors import CallWrong, ProviderBusy
from connproof.run import Call
from pieces import BUSY, connector_of_rows
from scripted import connector, items, read, rows, scripted

CURSOR: dict[str, Any] = {"type": "cursor", "cursor_field": "next"}
# As the first release wrote it, for a read of `rows` that was throttled at its second page, at the cursor "c2".
OLD = "ks36_3eteyJmIjoxLCJjIjoiMGMzNDY4ODBjMmI5YjRkYzZkIiwidCI6bnVsbCwicCI6MSwiciI6MSwidiI6ImMyIn0"


def rewritten(token: str, **said: Any) -> str:
    """The token with other members, its sum made anew."""
    whole = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    text = json.dumps({**json.loads(whole[6:]), **said}, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(hashlib.blake2b(text, digest_size=6).digest() + text).decode().rstrip("=")


def broken_off(config: Any, *answers: Any) -> str:
    with pytest.raises(ProviderBusy) as busy:
        read(config, scripted(*answers, BUSY))
    return busy.value.resume or ""


def test_a_token_of_the_first_release_leads_on() -> None:
    """A caller may have kept one."""
    provider = scripted(items(2))

    assert rows(2, 2) == read(connector(CURSOR), provider, Call(resume=OLD))
    assert ["/rows?next=c2"] == provider.asked


def test_a_plain_read_writes_the_token_that_it_always_wrote() -> None:
    """Nothing that needs no state has one."""
    assert OLD == broken_off(connector(CURSOR), items(1, next="c2"))


def test_a_token_of_a_later_release_is_refused() -> None:
    """It may say what this one does not know."""
    with pytest.raises(CallWrong, match="a resume token of another version: 3"):
        read(connector(CURSOR), scripted(), Call(resume=rewritten(OLD, f=3)))


@pytest.mark.parametrize(
    "pagination",
    [
        {"on_expired": "restart"},
        {"window": {"cap": 4, "field": "id", "param": "since"}},
        {"frozen": {"param": "at"}},
    ],
    ids=lambda words: next(iter(words)),
)
def test_a_plain_token_is_refused_where_the_config_asks_for_more_now(pagination: dict[str, Any]) -> None:
    """It does not hold what such a read has to remember: going on would lose or repeat records."""
    plain = broken_off(connector_of_rows(CURSOR, key="id"), items(1, next="c2"))

    with pytest.raises(CallWrong, match="of another read"):
        read(connector_of_rows({**CURSOR, **pagination}, key="id"), scripted(), Call(resume=plain))


@pytest.mark.parametrize(
    "state",
    [
        "text",
        {"inner": "text"},
        {"inner": {"t": None}},
        {"skip": 7},
        {"skip": [1, 2, 3]},
        {"started": "yesterday"},
        {"inner": {"t": None, "p": -1, "r": 0}},
    ],
    ids=str,
)
def test_a_state_that_is_none_is_no_token(state: Any) -> None:
    """Whoever made it: an error of the caller's, and nothing is sent."""
    config = connector_of_rows({**CURSOR, "on_expired": "restart", "frozen": {"param": "at"}}, key="id")
    token = broken_off(config, items(1, next="c2"))

    with pytest.raises(CallWrong, match="not a resume token"):
        read(config, scripted(), Call(resume=rewritten(token, s=state)))


@pytest.mark.parametrize(
    "words",
    [{"f": []}, {"f": {}}, {"p": True}, {"t": 1.0}, {"v": float("nan")}, {"v": float("inf")}],
    ids=str,
)
def test_a_word_that_is_none_is_no_token(words: dict[str, Any]) -> None:
    """A sum is no signature: what anybody can write is refused whole, whatever it is."""
    token = broken_off(connector_of_rows(CURSOR), items(1, next="c2"))

    with pytest.raises(CallWrong, match="resume token"):
        read(connector_of_rows(CURSOR), scripted(), Call(resume=rewritten(token, **words)))


@pytest.mark.parametrize("value", [b"[" * 100_000, b"1e309", b'"\\ud83d"'], ids=["endless", "infinite", "half"])
def test_a_token_with_what_is_no_json_is_no_token(value: bytes) -> None:
    """What the standard library lets through, or only the interpreter's stack would stop, is refused all the same."""
    text = b'{"f":1,"c":"c","t":null,"p":1,"r":1,"v":' + value + b"}"
    token = base64.urlsafe_b64encode(hashlib.blake2b(text, digest_size=6).digest() + text).decode().rstrip("=")

    with pytest.raises(CallWrong, match="not a resume token"):
        read(connector_of_rows(CURSOR), scripted(), Call(resume=token))
