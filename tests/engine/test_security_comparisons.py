"""No secret is compared so that the time which that takes tells of it."""

from __future__ import annotations

import ast
import hmac
import re
from pathlib import Path
from typing import Any, Final

import pytest

from connproof.model import Secret

ENGINE: Final = Path(__file__).parents[2] / "engine" / "connproof"
TELLING: Final = (ast.Eq, ast.NotEq, ast.In, ast.NotIn, ast.Lt, ast.Gt, ast.LtE, ast.GtE)
SECRET: Final = re.compile(
    r"(?:^|_)(?:tokens?|secrets?|passwords?|passphrase|signatures?|macs?|hmac|digest|marks?|credentials?|refresh|access"
    r"|private_key|api_key|_value|webhook)$"
)
# What has such a name, and is no secret; or is one's fingerprint under a key that whoever asks does not have.
OTHERS: Final = {
    ("accounts.py", "tokens == '-'"): "a file's name on the command line",
    ("run/fanned_out.py", "mark != self._mark_at(self._index)"): "a place in a list of parents",
    ("stores/token_database.py", "columns.refresh_mark == mark"): "a fingerprint, compared by the database",
    ("stores/token_memory.py", "mark in waiting"): "a fingerprint of this process alone",
    ("stores/token_memory.py", "mark in {mark for _, mark in kept.every}"): "a fingerprint of this process alone",
}


def compared(source: str) -> list[str]:
    """Each comparison in which something that is called like a secret stands, as it is written."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Compare) and any(isinstance(how, TELLING) for how in node.ops):
            names = [_name(side) for side in (node.left, *node.comparators)]
            if any(name == "reveal" or SECRET.search(name) for name in names):
                found.append(ast.unparse(node))
    return found


def _name(node: ast.expr) -> str:
    match node:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
        case ast.Subscript(slice=ast.Constant(value=str(name))):
            return name
        case ast.Call(func=inner) | ast.Subscript(value=inner):
            return _name(inner)
    return ""


@pytest.mark.parametrize(
    "source",
    [
        "webhook_secret == header",
        "given != self.signature",
        "row.refresh_token.reveal() == sent",
        "sent in tokens",
        "request['signature'] == made",
        "other._value == self._value",
    ],
)
def test_S49_the_search_finds_a_comparison(source: str) -> None:
    """By the name of either side, also behind a call or an index."""
    assert [source] == compared(source)


def test_S49_no_secret_is_compared_with_an_operator() -> None:
    """Nowhere in the engine; what is only called like one stands in the list, with what it is."""
    found = {
        (path.relative_to(ENGINE).as_posix(), text)
        for path in sorted(ENGINE.rglob("*.py"))
        for text in compared(path.read_text(encoding="utf-8"))
    }

    assert set(OTHERS) == found


def test_S49_two_secrets_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """By compare_digest, whatever characters they have; equal are only equal ones."""
    asked: list[tuple[Any, Any]] = []

    def comparing(one: bytes, other: bytes) -> bool:
        asked.append((one, other))
        return one == other

    monkeypatch.setattr(hmac, "compare_digest", comparing)

    assert Secret("é\ud800") == Secret("é\ud800")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert 2 == len(asked)
