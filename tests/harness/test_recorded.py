"""A connector's recordings in place of the network."""

from __future__ import annotations

import asyncio

import pytest
from projects import Project

from connproof.errors import CallWrong
from connproof.model import Account, Request, frozen
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
