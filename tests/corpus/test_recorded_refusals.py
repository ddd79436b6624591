"""What providers really answered when they refused, wholly or in part, told by the connectors of this repository.

What is expected is the recorded status's plain meaning and the code that stands in the answer, found without the
engine.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import pytest

from answers import Answered, answers
from connproof import config
from connproof.errors import ProviderSaid
from connproof.model import Account
from connproof.run import Call, Engine
from listings import ABSENT, CORPUS
from scripted import scripted

pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason=ABSENT)

CONNECTORS: Final = Path(__file__).parents[2] / "connectors"
MEANINGS: Final = {400: "invalid", 401: "auth_expired", 404: "not_found", 410: "not_found", 422: "invalid"}


@dataclass(frozen=True, slots=True)
class Source:
    """Recorded refusals, the operation that is refused, and the code that each answer names, "" where it names none.

    `answers` is how many the corpus had when this was written: it may get more.
    """

    name: str
    connector: str
    resource: str
    operation: str
    code: Callable[[Any], str]
    answers: int


def _fault(document: Any) -> str:
    fault = document.get("Fault") or document["fault"]
    code: str = (fault.get("Error") or fault["error"])[0]["code"]
    return code


def _field(document: Any) -> str:
    field: str = (document.get("errors") or [{}])[0].get("field", "")
    return field


def _none(_: Any) -> str:
    return ""


SOURCES = [
    Source("quickbooks/qbo_api", "quickbooks", "customers", "get", _fault, 6),
    Source("pipedrive/pipedrive_ruby", "pipedrive", "persons", "get", _none, 20),
    Source("greenhouse/greenhouse_io", "greenhouse", "candidates", "get", _field, 4),
    Source("hubspot/hubspot-ruby", "hubspot", "companies", "get", _none, 20),
    Source("github/octokit.rb", "github", "comments", "get", _none, 5),
]


def _engine(connector: str, answered: Answered) -> Engine:
    said = config.load_account_document(CONNECTORS / connector / "accounts" / "example.json")
    account = Account(credentials=said["credentials"], variables=said.get("variables", {}))
    return Engine(config.load(CONNECTORS / connector), scripted(answered.response), account=account)


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
def test_E5_a_recorded_refusal_is_told_as_what_it_is(source: Source) -> None:
    """Its status, its meaning and its code, whatever the provider writes beside them."""
    refused = [one for one in answers(source.name) if one.response.status in MEANINGS and _says_no(one)]
    for answered in refused:
        params = {"id": "1", "owner": "o", "repo": "r"} if source.connector == "github" else {"id": "1"}

        with pytest.raises(ProviderSaid) as said:
            asyncio.run(
                _engine(source.connector, answered).one(
                    source.resource, source.operation, Call(params=params, raw=True)
                )
            )

        told = (said.value.status, said.value.meaning, said.value.code)
        assert (answered.response.status, MEANINGS[answered.response.status], source.code(answered.document)) == told, (
            answered.id
        )
    assert len(refused) >= source.answers


def _says_no(answered: Answered) -> bool:
    """A delete that worked may be a 410."""
    document: Any = answered.document
    return not (isinstance(document, dict) and document.get("success") is True)


def _of_contacts(document: Any) -> list[tuple[bool, str, str]]:
    return [(not one.get("ValidationErrors"), one["ContactID"], "") for one in document["Contacts"]]


def _of_batch(document: Any) -> list[tuple[bool, str, str]]:
    results = document["BatchItemResponse"]
    return [("Fault" not in one, one["bId"], _fault(one) if "Fault" in one else "") for one in results]


@pytest.mark.parametrize(
    ("name", "asked", "connector", "resource", "fates"),
    [
        ("xero/nango-xero", "PUT /Contacts", "xero", "contacts", _of_contacts),
        ("quickbooks/qbo_api", "POST /v3/batch", "quickbooks", "batches", _of_batch),
    ],
    ids=["xero", "quickbooks"],
)
def test_E2_each_element_of_a_recorded_write_has_its_own_fate(
    name: str,
    asked: str,
    connector: str,
    resource: str,
    fates: Callable[[Any], list[tuple[bool, str, str]]],
) -> None:
    """Its id, whether it was written, and the code of what was wrong with it."""
    method, path = asked.split()
    found = [one for one in answers(name) if one.request.method == method and _path(one).endswith(path)]
    for answered in found:
        wanted = fates(answered.document)
        write = _engine(connector, answered).write_many(resource, "create", [{} for _ in wanted], call=Call(raw=True))

        made = asyncio.run(write)

        assert wanted == [(one.ok, one.id, one.code or "") for one in made.elements], answered.id
    assert found


def _path(answered: Answered) -> str:
    return urlsplit(answered.request.url).path
