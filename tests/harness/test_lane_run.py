"""A request on one line shows what was asked, and no credential in any spelling."""

from __future__ import annotations

import pytest

from connproof.model import Request
from pytest_connproof.lane_run import shown_request

KEY = "canary/k+1"


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (Request("GET", f"https://h.test/x?key={KEY}&limit=5"), "GET /x?key=(credential)&limit=5"),
        (Request("GET", "https://h.test/x?key=canary%2Fk%2B1"), "GET /x?key=(credential)"),
        (
            Request("POST", "https://h.test", body=b'{"key": "canary/k+1", "n": 1}'),
            'POST  {"key":"(credential)","n":1}',
        ),
        (Request("POST", "https://h.test/x", body=b"\xff<n/>"), "POST /x \\xff<n/>"),
        (Request("GET", "https://h.test/x", (("authorization", KEY),)), "GET /x"),
    ],
    ids=["as it is", "percent-encoded", "in a body", "bytes", "in a header"],
)
def test_no_credential_is_shown(request_: Request, expected: str) -> None:
    """Snapshots and messages hold what was asked for, never on whose behalf."""
    assert expected == shown_request(request_, [KEY])
