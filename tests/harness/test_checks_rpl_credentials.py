"""RPL-003 passes where what is sent is what was recorded, and fails on another credential, none, or one too many."""

from __future__ import annotations

from typing import Any

import pytest
from projects import Project

from pytest_connproof.finding import Finding, Inconclusive

FILE = "recordings/deals.json"
PAGE = "/lanes/0/exchanges"


def test_RPL_003_passes_with_counts(deals: Project) -> None:
    """A pass says how many requests were looked at, and how many placeholders they filled."""
    assert {"requests": 3, "credentials": 1} == deals.judge("RPL-003", "deals.list")


def test_RPL_003_passes_on_a_key_in_the_query(finder: Project) -> None:
    """Where a credential is sent is the config's affair."""
    assert {"requests": 2, "credentials": 1} == finder.judge("RPL-003", "hits.search")


def test_RPL_003_fails_with_a_doubt_after_an_unknown_request(deals: Project) -> None:
    """What only follows from another finding is no second one: RPL-002 says what is wrong."""
    deals.edit("connector.json", '"deals-2"', '"deals-3"')

    with pytest.raises(Inconclusive) as doubt:
        deals.judge("RPL-003", "deals.list")

    assert "the run ended at a request that is not in the recording\n  fix  see RPL-002" == str(doubt.value)


def test_RPL_003_fails_on_another_credential_of_the_account(deals: Project) -> None:
    """token_path points at another token: every request matches, and yet it is the wrong one."""
    deals.change("connector.json", "/auth/token_path", "refresh_token")

    with pytest.raises(Finding) as found:
        deals.judge("RPL-003", "deals.list")

    assert (
        "another credential was sent for {{secret:access_token#1}}\n"
        "\n"
        '  expected   the account\'s "access_token"\n'
        "  auth       connectors/deals/connector.json:12\n"
        "  fix        point auth at the credential that the recorded request carried"
    ) == str(found.value)


def test_RPL_003_fails_with_a_doubt_where_the_credential_cannot_be_told(deals: Project) -> None:
    """Of several credentials, one that the placeholder does not name may be any."""
    text = deals.path(FILE).read_text()
    deals.write(FILE, text.replace("{{secret:access_token#1}}", "{{secret:token#1}}"))

    with pytest.raises(Inconclusive) as doubt:
        deals.judge("RPL-003", "deals.list")

    assert (
        'the account has several credentials, none named "token": which one {{secret:token#1}} is, cannot be told\n'
        '  fix  name it "token" in accounts/example.json and under auth'
    ) == str(doubt.value)


def test_RPL_003_passes_where_there_is_only_one_credential(deals: Project) -> None:
    """It can be no other, whatever it is called."""
    text = deals.path(FILE).read_text()
    deals.write(FILE, text.replace("{{secret:access_token#1}}", "{{secret:token#1}}"))
    deals.drop("accounts/example.json", "/credentials/refresh_token")

    assert 1 == deals.judge("RPL-003", "deals.list")["credentials"]


def test_RPL_003_passes_on_a_signature_that_several_credentials_made(deals: Project) -> None:
    """What is signed anew for each request names no credential: one placeholder stands for all of it."""
    signed = {"type": "oauth1", "consumer_key_path": "a", "consumer_secret_path": "b", "token_path": "c"}
    deals.change("connector.json", "/auth", {**signed, "token_secret_path": "access_token"})
    for name in "abc":
        deals.change("accounts/example.json", f"/credentials/{name}", f"example-credential-{name}")
    for number in range(3):
        header = ["authorization", f"OAuth {{{{secret:authorization#{number + 1}}}}}"]
        deals.change(FILE, f"{PAGE}/{number}/request/headers/2", header)

    assert {"requests": 3, "credentials": 3} == deals.judge("RPL-003", "deals.list")


def test_RPL_003_fails_on_what_is_no_credential(deals: Project) -> None:
    """The whole header was redacted, its scheme included: what stands there is more than a credential."""
    text = deals.path(FILE).read_text()
    deals.write(FILE, text.replace("Bearer {{secret", "{{secret"))

    with pytest.raises(Finding) as found:
        deals.judge("RPL-003", "deals.list")

    assert (
        "what was sent for {{secret:access_token#1}} is no credential of the account\n"
        "\n"
        "  auth   connectors/deals/connector.json:12\n"
        "  fix    check where auth reads it from"
    ) == str(found.value)


def test_RPL_003_fails_on_requests_without_a_credential(deals: Project) -> None:
    """A recording without any placeholder shows no credential in its place."""
    text = deals.path(FILE).read_text()
    deals.write(FILE, text.replace("{{secret:access_token#1}}", "example-access-token"))

    with pytest.raises(Finding) as found:
        deals.judge("RPL-003", "deals.list")

    assert (
        "no request carried a credential\n"
        "\n"
        "  auth       bearer   connectors/deals/connector.json:12\n"
        "  recorded   no placeholder in any request"
    ) == str(found.value)


def _sent_twice(project: Project, sent: str, where: str, value: Any) -> None:
    """Let the config send a text a second time, and the recording have the placeholder there."""
    project.change("connector.json", where, value)
    for index in range(3):
        request = project.exchanges()[index]["request"]
        request["query"].append(["t", "{{secret:access_token#1}}"])
        project.change(FILE, f"{PAGE}/{index}/request", request)
    assert sent in project.path("connector.json").read_text()


@pytest.mark.parametrize("token", ["example-access-token", "example/access+token=="])
def test_RPL_003_fails_on_a_credential_in_two_places(deals: Project, token: str) -> None:
    """Beside its slot a credential ends in logs: the place is named, however it is encoded."""
    deals.change("accounts/example.json", "/credentials/access_token", token)
    _sent_twice(deals, token, "/resources/deals/list/query", {"t": token})

    with pytest.raises(Finding) as found:
        deals.judge("RPL-003", "deals.list")

    assert "request 1 carries a credential outside its slot" == found.value.what
    assert "found in   query t" in found.value.facts
    assert "slot       header authorization" in found.value.facts
    assert token not in str(found.value)


def test_RPL_003_fails_on_a_credential_beside_a_key_in_the_query(finder: Project) -> None:
    """A key that belongs into one parameter does not belong into the body, nor into another parameter."""
    finder.change("connector.json", "/resources/hits/search/body", {"filter": {"open": True}, "as": "example-api-key"})
    for index, page in enumerate([{}, {"page": {"token": "p2"}}]):
        body = {"filter": {"open": True}, "as": "{{secret:api_key#1}}", **page}
        finder.change("recordings/hits.json", f"{PAGE}/{index}/request/json", body)

    with pytest.raises(Finding) as found:
        finder.judge("RPL-003", "hits.search")

    assert (
        "request 1 carries a credential outside its slot\n"
        "\n"
        "  found in   body\n"
        "  slot       query key\n"
        '  sent       POST /query?key=(credential) {"filter":{"open":true},"as":"(credential)"}'
    ) == str(found.value)


BASIC = {"type": "basic", "username": "{access_token}", "password": "{refresh_token}"}


def test_RPL_003_passes_on_basic(deals: Project) -> None:
    """The pair of Basic is one form of the account's credentials."""
    deals.change("connector.json", "/auth", BASIC)
    text = deals.path(FILE).read_text()
    deals.write(FILE, text.replace("Bearer {{secret:access_token#1}}", "Basic {{secret:basic#1}}"))

    assert {"requests": 3, "credentials": 1} == deals.judge("RPL-003", "deals.list")
