"""A connector's recordings in place of the network."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from projects import Project

from connproof.errors import CallWrong
from connproof.model import Account, Request, frozen
from connproof.run import Call
from pytest_connproof.recorded import Recorded

URL = "https://api.deals.example/v1/deals"


def test_a_request_that_no_recording_holds_is_told_with_the_nearest(deals: Project) -> None:
    """Its parts that differ, and no credential; nothing is sent anywhere."""
    account = Account(credentials=frozen({"access_token": "s3cret-token"}))
    recorded = Recorded(deals.path("recordings").parent, account)
    request = Request("GET", f"{URL}?limit=77&k=s3cret-token", (("authorization", "Bearer s3cret-token"),))
    with pytest.raises(CallWrong, match="no recording holds this request") as caught:
        asyncio.run(recorded.send(request))

    assert "query.limit" in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_a_connector_without_recordings_says_so(deals: Project) -> None:
    """Before anything is asked."""
    deals.path("recordings/deals.json").unlink()

    with pytest.raises(CallWrong, match="deals has no recordings"):
        Recorded(deals.path("recordings").parent, Account())


@pytest.mark.parametrize(("account", "limit"), [("example", None), ("acme", 2), ("globex", None)])
def test_an_operation_is_called_as_it_was_recorded(deals: Project, account: str, limit: int | None) -> None:
    """By the account that a lane was called for; for any other as the example account."""
    lanes = deals.read("recordings/deals.json")["lanes"]
    deals.change("recordings/deals.json", "/lanes", [_called(lanes[0], account="acme", limit=2), *lanes])

    call = Recorded(deals.path("recordings").parent, Account(account)).call("deals.list")

    assert limit == call.limit


def test_an_operation_that_was_never_recorded_is_called_without_anything(deals: Project) -> None:
    """Whoever asks for it is told that no recording holds the request."""
    assert Call() == Recorded(deals.path("recordings").parent, Account()).call("deals.search")


def _called(lane: dict[str, Any], **call: str | int) -> dict[str, Any]:
    exchanges = [{**exchange, "id": f"{exchange['id']}-acme"} for exchange in lane["exchanges"]]
    return {**lane, "id": "deals.list#acme", "call": call, "exchanges": exchanges}
