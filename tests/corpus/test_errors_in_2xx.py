"""Real errors inside a 2xx are errors, and no real success is one: by configs, against a scan that knows no config."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from answers import Answered, answers, elements, judging, meaning, members, written
from connproof.places import JsonValue
from listings import ABSENT, CORPUS

pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason=ABSENT)


@dataclass(frozen=True, slots=True)
class Source:
    """A source, the config that judges its answers, what an error is by the provider's documentation, and bounds.

    `errors` and `answers` are how many the corpus had when this was written: it may get more.
    """

    name: str
    provider: str | None
    is_error: Callable[[JsonValue], bool]
    errors: int
    answers: int


def _says_not_ok(document: JsonValue) -> bool:
    return members(document).get("ok") is False


def _says_no_success(document: JsonValue) -> bool:
    return members(document).get("success") is False


def _has_fault(document: JsonValue) -> bool:
    return bool(members(document).get("Fault") or members(document).get("fault"))


def _has_graphql_errors(document: JsonValue) -> bool:
    data = members(document).get("data")
    mutations = [members(each) for each in members(data).values()]
    return bool(members(document).get("errors")) or any(each.get("userErrors") for each in mutations)


def _has_errors(document: JsonValue) -> bool:
    """One record that was not written: batches and composites tell of each element instead."""
    return _says_no_success(document) or bool(members(members(document).get("Fault")))


SOURCES = [
    Source("slack/slack-ruby-client", "slack", _says_not_ok, 4, 50),
    Source("slack/slack-ruby-client-history", "slack", _says_not_ok, 0, 6),
    Source("stripe/pay", None, _says_no_success, 1, 90),
    Source("quickbooks/qbo_api", "quickbooks", _has_fault, 0, 42),
    Source("quickbooks/nango-quickbooks", "quickbooks", _has_fault, 0, 30),
    Source("salesforce/nango-salesforce", "salesforce", _has_errors, 0, 30),
    Source("salesforce/CumulusCI", "salesforce", _has_errors, 0, 30),
    Source("shopify/nango-shopify", "shopify", _has_graphql_errors, 30, 160),
    Source("instantly/nango-instantly", None, _says_no_success, 1, 50),
    Source("pipedrive/nango-pipedrive", "pipedrive", _says_no_success, 0, 19),
    Source("pipedrive/pipedrive_ruby", "pipedrive", _says_no_success, 0, 190),
    Source("hubspot/hubspot-ruby", "hubspot", _says_no_success, 0, 220),
    Source("xero/nango-xero", "xero", _says_no_success, 0, 23),
    Source("zoho/nango-zoho-crm", "zoho", _says_no_success, 0, 28),
]


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
def test_E1_what_is_an_error_inside_a_2xx_is_called_one_and_nothing_else(source: Source) -> None:
    """For every recorded answer with a 2xx: the config's rules and the scan say the same."""
    found = [each for each in answers(source.name) if 200 <= each.response.status < 300]
    connector = judging(source.provider)

    expected = [each.id for each in found if source.is_error(each.document)]

    assert expected == [each.id for each in found if meaning(connector, each) is not None]
    assert len(expected) >= source.errors
    assert len(found) >= source.answers


@pytest.mark.parametrize("source", [source for source in SOURCES if source.errors], ids=lambda source: source.name)
def test_E3_an_error_inside_a_2xx_has_the_providers_own_words(source: Source) -> None:
    """Whoever gets such an error is told what the provider said: its code or its message.

    But for what a GraphQL mutation says of its input: that stands under the mutation's name, so each operation says it.
    """
    connector = judging(source.provider)
    errors = [meaning(connector, each) for each in answers(source.name) if source.is_error(each.document)]
    told = [error for error in errors if error is not None and error.meaning != "invalid"]

    assert all(error.code or error.message for error in told)
    assert told


@dataclass(frozen=True, slots=True)
class Batches:
    """Which answers of a source are of one kind of batch, the words that read them, and the failures that a scan finds.

    `failed` gives whether each element failed, in their order; `batches` and `failures` are bounds as above.
    """

    id: str
    source: str
    provider: str
    words: dict[str, Any]
    is_batch: Callable[[JsonValue], bool]
    failed: Callable[[JsonValue], list[bool]]
    batches: int
    failures: int


def _collection(document: JsonValue) -> list[bool]:
    return [members(each).get("success") is not True for each in elements(document)]


def _subrequests(document: JsonValue) -> list[bool]:
    inner = elements(members(document).get("compositeResponse"))
    return [str(members(each).get("httpStatusCode"))[0] in "45" for each in inner]


def _graphs(document: JsonValue) -> list[bool]:
    return [members(each).get("isSuccessful") is not True for each in elements(members(document).get("graphs"))]


def _results_and_errors(document: JsonValue) -> list[bool]:
    results, errors = (elements(members(document).get(name)) for name in ("results", "errors"))
    return [False] * len(results) + [True] * len(errors)


COLLECTION = {"at": "$", "failed": {"success": False}, "id": "id", "code": "errors[0].statusCode"}
COMPOSITE = {
    "at": "compositeResponse",
    "failed": {"httpStatusCode": {"matches": "^[45]"}},
    "status": "httpStatusCode",
    "code": "body[0].errorCode",
}
GRAPHS = {"at": "graphs", "failed": {"isSuccessful": False}, "id": "graphId"}
HUBSPOT = {"at": "results", "failures_at": "errors", "code": "category", "message": "message"}


def _quickbooks(name: str) -> Batches:
    words = {"at": name, "failed": {"Fault": {"present": True}}, "id": "bId", "code": "Fault.Error[0].code"}

    def failed(document: JsonValue) -> list[bool]:
        return ["Fault" in members(each) for each in elements(members(document).get(name))]

    return Batches(name, "quickbooks/qbo_api", "quickbooks", words, lambda said: name in members(said), failed, 1, 1)


BATCHES = [
    Batches(
        "collection",
        "salesforce/nango-salesforce",
        "salesforce",
        COLLECTION,
        lambda said: isinstance(said, list) and bool(said) and "success" in members(said[0]),
        _collection,
        2,
        2,
    ),
    Batches(
        "graph",
        "salesforce/nango-salesforce",
        "salesforce",
        GRAPHS,
        lambda said: "graphs" in members(said),
        _graphs,
        1,
        0,
    ),
    Batches(
        "composite",
        "salesforce/CumulusCI",
        "salesforce",
        COMPOSITE,
        lambda said: "compositeResponse" in members(said),
        _subrequests,
        5,
        1,
    ),
    _quickbooks("BatchItemResponse"),
    _quickbooks("AttachableResponse"),
    Batches(
        "batch",
        "hubspot/hubspot-api-ruby",
        "hubspot",
        HUBSPOT,
        lambda said: "results" in members(said) and members(said).get("status") == "COMPLETE",
        _results_and_errors,
        5,
        5,
    ),
]


def _batches(kind: Batches) -> list[Answered]:
    found = [each for each in answers(kind.source) if 200 <= each.response.status < 300]
    return [each for each in found if kind.is_batch(each.document)]


@pytest.mark.parametrize("kind", BATCHES, ids=lambda kind: f"{kind.source}: {kind.id}")
def test_E2_each_failing_element_of_a_recorded_batch_is_told(kind: Batches) -> None:
    """Element by element, in order: what failed failed, with a code, and its siblings did not."""
    connector = judging(kind.provider, kind.words)
    found = _batches(kind)
    told = [written(connector, each).elements for each in found]

    expected = [kind.failed(each.document) for each in found]

    assert expected == [[not element.ok for element in batch] for batch in told]
    failures = [element for batch in told for element in batch if not element.ok]
    assert all(element.code for element in failures)
    assert len(failures) >= kind.failures
    assert len(found) >= kind.batches
