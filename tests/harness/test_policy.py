"""What a config sends and reads may be recorded; what auth sends is replaced."""

from __future__ import annotations

import json
from typing import Any

import pytest

from connproof.config import parse
from pytest_connproof.redact import Policy, policy_for

LOGIN = {"url": "https://a.example", "params": {"user": "{user}"}}


def policy(**words: Any) -> Policy:
    """The policy of a connector with these words."""
    operation = {"method": "POST", "path": "/rows", **words.pop("operation", {})}
    document = {
        "base_url": "https://api.example",
        "auth": {"type": "none"},
        "resources": {"rows": {"list": operation}},
        **words,
    }
    return policy_for(parse(json.dumps(document).encode(), folder="sample"))


@pytest.mark.parametrize(
    ("words", "header"),
    [
        ({"headers": {"X-A": "1"}}, "x-a"),
        ({"operation": {"headers": {"X-B": "1"}}}, "x-b"),
        ({"api_version": {"value": "1", "in": "header", "name": "X-V"}}, "x-v"),
        ({"api_version": {"value": "1", "in": "header", "name": "v", "served": {"header": "X-Is"}}}, "x-is"),
        ({"operation": {"idempotency": {"name": "X-Key"}, "returns": "one"}}, "x-key"),
        ({"pagination": {"type": "cursor", "cursor_header": "X-Next", "cursor_param": "c"}}, "x-next"),
        ({"errors": [{"when": {"header": {"X-Why": "a"}}, "means": "failed"}]}, "x-why"),
        ({"error_message": {"header": "X-Said"}}, "x-said"),
        ({"rate_limit": {"throttled": [{"when": {"header": {"X-Left": "0"}}}]}}, "x-left"),
        ({"rate_limit": {"wait": [{"header": "X-Wait", "unit": "delta_s"}]}}, "x-wait"),
        ({"rate_limit": {"budgets": [{"name": "a", "remaining": {"header": "X-Rest"}}]}}, "x-rest"),
    ],
)
def test_a_header_of_the_config_is_recorded(words: dict[str, Any], header: str) -> None:
    """Without it, no replay could hold the config to it."""
    assert header not in policy().headers
    assert header in policy(**words).headers


def test_the_key_of_a_write_is_no_credential() -> None:
    """It ends in "key", as credentials do."""
    assert ("x-once-key",) == policy(operation={"idempotency": {"name": "X-Once-Key"}, "returns": "one"}).plain


@pytest.mark.parametrize(
    ("auth", "slots"),
    [
        ({"type": "api_key", "in": "query", "name": "k"}, {"k": "api_key"}),
        (
            {"type": "session", "name": "X-Session", "login": LOGIN},
            {"x-session": "session_token"},
        ),
        ({"type": "bearer", "headers": {"X-Client": "{client}"}}, {"x-client": "x-client"}),
    ],
)
def test_what_auth_sends_is_a_credential(auth: dict[str, Any], slots: dict[str, str]) -> None:
    """Under the name of its slot."""
    assert slots == dict(policy(auth=auth).slots)
