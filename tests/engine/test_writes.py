"""Write through a config: what is sent, what the answer means, and the fate of each element of a batch."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from connproof.clock import FixedClock
from connproof.errors import CallWrong, MappingFailed, PageUnreadable, ProviderBusy, RequestRefused
from connproof.model import Connector, Response
from connproof.places import ABSENT, Absent, JsonValue
from connproof.run import Call, Element, Written
from scripted import BASE, Provider, answer, connector, engine, scripted

CLOCK = FixedClock(datetime(2026, 1, 1, tzinfo=UTC))


def contacts(**words: Any) -> Connector:
    """Contacts with every kind of write, mapped from crm.contact."""
    operations: dict[str, Any] = {
        "list": {"method": "GET", "path": "/contacts", "response_path": "items"},
        "create": {"method": "POST", "path": "/contacts", "key": "id"},
        "update": {"method": "PATCH", "path": "/contacts/{id}", "key": "id"},
        "delete": {"method": "DELETE", "path": "/contacts/{id}"},
        "search": {
            "method": "POST",
            "path": "/contacts/search",
            "body": {"limit": 10},
            "response_path": "items",
            "pagination": {"type": "none"},
        },
    }
    for name, said in words.pop("operations", {}).items():
        operations[name] = {**operations.get(name, {}), **said}
    mapping = {
        "resource": "contacts",
        "fields": {"id": "$id(id)", "email": "properties.email"},
        "query": {
            "updated_after": {"param": "since", "value": "$substringBefore($, 'T')"},
            "email": {"param": "filters.email", "in": "body"},
            "state": "state",
        },
        "write": {
            "create": {"properties.email": "email", "properties.name": "first_name & ' ' & last_name", "kind": "'c'"},
            "update": {"properties.email": "email", "properties.phone": "phone"},
            **words.pop("write", {}),
        },
    }
    return connector(resources={"contacts": operations}, unified={"crm.contact": mapping}, **words)


def written(
    config: Connector,
    provider: Provider,
    operation: str,
    record: JsonValue | Absent = ABSENT,
    call: Call | None = None,
) -> Written:
    """What comes of one write of a contact."""
    made = engine(config, provider, clock=CLOCK, nonce=lambda: "n-1")
    return asyncio.run(made.write("crm.contact", operation, record, call))


def test_create_sends_the_providers_own_record() -> None:
    """Each place of it is one expression over the unified record; nested members are made."""
    provider = scripted(answer({"id": 7, "more": 1}, status=201))

    done = written(contacts(), provider, "create", {"email": "a@x.test", "first_name": "Ann", "last_name": "Lee"})

    assert ("POST", f"{BASE}/contacts") == (provider.requests[0].method, provider.requests[0].url)
    assert [{"properties": {"email": "a@x.test", "name": "Ann Lee"}, "kind": "c"}] == provider.bodies
    assert Written(201, {"id": 7, "more": 1}, "7") == done


def test_update_sends_what_is_there_and_no_more() -> None:
    """What the unified record does not have is not sent; null is sent as null."""
    provider = scripted(Response(204), Response(204))
    call = Call(params={"id": "7"})

    done = written(contacts(), provider, "update", {"phone": None}, call)
    written(contacts(), provider, "update", {"email": "b@x.test"}, call)

    assert [{"properties": {"phone": None}}, {"properties": {"email": "b@x.test"}}] == provider.bodies
    assert Written(204) == done


def test_delete_sends_no_body() -> None:
    """A 204 without a body is done."""
    provider = scripted(Response(204))

    assert Written(204) == written(contacts(), provider, "delete", call=Call(params={"id": "7"}))
    assert ("DELETE", "/contacts/7", None) == (
        provider.requests[0].method,
        provider.asked[0],
        provider.requests[0].body,
    )


def test_E14_a_delete_that_was_done_before_may_be_a_success() -> None:
    """410 with success, where the config says so."""
    errors = [{"when": {"status": 410, "body": {"success": True}}, "means": "success"}]
    config = contacts(operations={"delete": {"errors": errors}})

    assert (
        410
        == written(
            config, scripted(answer({"success": True}, status=410)), "delete", call=Call(params={"id": "7"})
        ).status
    )


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_E14_a_write_succeeds_with_any_2xx(status: int) -> None:
    """202 says that it will be done."""
    response = Response(204) if status == 204 else answer({"id": "x"}, status=status)

    assert status == written(contacts(), scripted(response), "create", {"email": "a@x.test"}).status


def test_search_places_filters_where_the_config_says() -> None:
    """Query, body and header; a value is made by its expression, or sent as it is."""
    provider = scripted(answer({"items": [{"id": 1, "properties": {"email": "a@x.test"}}]}))
    filters: dict[str, JsonValue] = {"updated_after": "2026-01-02T00:00:00Z", "email": "a@x.test", "state": "open"}

    async def found() -> list[JsonValue]:
        made = engine(contacts(), provider, clock=CLOCK)
        return [record async for record in made.read("crm.contact", "search", Call(filters=filters))]

    assert [{"id": "1", "email": "a@x.test"}] == asyncio.run(found())
    assert ["/contacts/search?since=2026-01-02&state=open"] == provider.asked
    assert [{"limit": 10, "filters": {"email": "a@x.test"}}] == provider.bodies


def test_a_filter_that_the_model_lacks_is_named() -> None:
    """With the nearest that it has."""

    async def read() -> None:
        async for _ in engine(contacts(), scripted(), clock=CLOCK).read("crm.contact", call=Call(filters={"stat": 1})):
            pass

    with pytest.raises(CallWrong, match=r'crm\.contact has no filter "stat"') as caught:
        asyncio.run(read())
    assert 'did you mean "state"?' == caught.value.fix


def test_a_template_filter_leaves_its_place_to_otherwise() -> None:
    """A query language's text holds the filter, or what stands there without one."""
    config = connector(
        resources={
            "rows": {
                "list": {
                    "method": "GET",
                    "path": "/q",
                    "query": {"q": "SELECT Id FROM A{where}"},
                    "response_path": "items",
                }
            }
        },
        unified={
            "crm.account": {
                "resource": "rows",
                "fields": {"id": "id"},
                "query": {"name": {"param": "where", "in": "template", "value": '" WHERE Name = \'" & $ & "\'"'}},
            }
        },
    )
    provider = scripted(answer({"items": []}), answer({"items": []}))

    async def read(call: Call) -> None:
        async for _ in engine(config, provider, clock=CLOCK).read("crm.account", call=call):
            pass

    asyncio.run(read(Call()))
    asyncio.run(read(Call(filters={"name": "Acme"})))

    assert [
        "/q?q=SELECT%20Id%20FROM%20A",
        "/q?q=SELECT%20Id%20FROM%20A%20WHERE%20Name%20%3D%20%27Acme%27",
    ] == provider.asked


@pytest.mark.parametrize(
    ("place", "seen"),
    [
        ({"name": "Idempotency-Key"}, "header"),
        ({"name": "key", "in": "query"}, "query"),
        ({"name": "meta.key", "in": "body"}, "body"),
    ],
)
@pytest.mark.parametrize(("given", "key"), [(None, "n-1"), ("mine", "mine")])
def test_R13_a_write_carries_an_idempotency_key(place: dict[str, str], seen: str, given: str | None, key: str) -> None:
    """The caller's, or one that is made; the caller learns which."""
    config = contacts(operations={"create": {"idempotency": place}})
    provider = scripted(answer({"id": 1}))

    done = written(config, provider, "create", {"email": "a@x.test"}, Call(idempotency_key=given))
    request = provider.requests[0]
    found = {
        "header": request.header("idempotency-key"),
        "query": request.url.partition("?key=")[2],
        "body": json.loads(request.body or b"{}").get("meta", {}).get("key"),
    }

    assert (key, key) == (found[seen], done.idempotency_key)


def test_a_repetition_after_a_throttle_has_the_same_key() -> None:
    """The caller who waits repeats one write, not another."""
    config = contacts(operations={"create": {"idempotency": {"name": "Idempotency-Key"}}})
    nonces = iter("abc")
    provider = scripted(Response(429, (("retry-after", "2"),)), answer({"id": 1}))
    made = engine(config, provider, clock=FixedClock(CLOCK.now()), nonce=lambda: next(nonces))

    done = asyncio.run(made.write("crm.contact", "create", {"email": "a"}, Call(on_throttle="wait")))

    assert ["a", "a"] == [request.header("idempotency-key") for request in provider.requests]
    assert "a" == done.idempotency_key


def test_a_throttled_write_is_the_callers_to_repeat() -> None:
    """One request, and the wait."""
    provider = scripted(Response(429, (("retry-after", "2"),)))
    with pytest.raises(ProviderBusy) as caught:
        written(contacts(), provider, "create", {"email": "a"})

    assert (1, 2) == (len(provider.requests), caught.value.seconds)


def test_a_refused_write_names_the_operation() -> None:
    """And its line in the config."""
    with pytest.raises(RequestRefused, match=r"sample\.contacts\.create"):
        written(contacts(), scripted(answer({}, status=422)), "create", {"email": "a"})


def test_an_expression_that_fails_on_a_record_writes_nothing() -> None:
    """It names the place in the provider's record."""
    provider = scripted()
    with pytest.raises(MappingFailed) as caught:
        written(contacts(write={"create": {"n": "$number(email)"}}), provider, "create", {"email": "x"})

    assert ("n", "$number(email)") == (caught.value.field, caught.value.expression)
    assert [] == provider.requests


def test_an_operation_without_a_mapping_is_refused() -> None:
    """The provider's own record can still be written: raw."""
    config = contacts(operations={"merge": {"method": "POST", "path": "/merge"}})
    provider = scripted(answer({}))
    with pytest.raises(CallWrong, match=r'crm\.contact has no mapping for "merge"'):
        written(config, provider, "merge", {"email": "a"})

    asyncio.run(engine(config, provider).write("contacts", "merge", {"Own": 1}, Call(raw=True)))
    assert [{"Own": 1}] == provider.bodies


def test_a_text_body_is_filled_from_the_record() -> None:
    """A SOAP write: each name in braces is one expression; values are escaped."""
    config = contacts(
        operations={"create": {"body": "<New><Mail>{mail}</Mail></New>", "encode": "xml", "decode": "xml"}},
        write={"create": {"mail": "email"}},
    )
    provider = scripted(Response(200, (("content-type", "text/xml"),), b"<Ok/>"))

    written(config, provider, "create", {"email": "a&b"})

    assert b"<New><Mail>a&amp;b</Mail></New>" == provider.requests[0].body


def batch(
    provider: Provider, *, elements: dict[str, Any], at: str = "inputs", count: int = 2, **operation: Any
) -> Written:
    """What comes of a batch of contacts."""
    config = contacts(
        operations={"create": {"batch": {"at": at, "max": 2}, "elements": elements, **operation}},
        write={"create": {"email": "email"}},
    )
    records: list[JsonValue] = [{"email": str(number)} for number in range(count)]
    made = engine(config, provider, clock=CLOCK, nonce=lambda: "n")
    return asyncio.run(made.write_many("crm.contact", "create", records))


@pytest.mark.parametrize(
    ("document", "elements", "expected"),
    [
        pytest.param(
            [
                {"id": "1", "success": True, "errors": []},
                {"success": False, "errors": [{"statusCode": "DUP", "message": "m"}]},
            ],
            {
                "at": "$",
                "failed": {"success": False},
                "id": "id",
                "code": "errors[0].statusCode",
                "message": "errors[0].message",
            },
            (Element(0, ok=True, id="1"), Element(1, ok=False, code="DUP", message="m")),
            id="a flag each, at the root",
        ),
        pytest.param(
            {
                "compositeResponse": [
                    {"httpStatusCode": 201, "body": {"id": "1"}},
                    {"httpStatusCode": 400, "body": [{"errorCode": "X"}]},
                ]
            },
            {"at": "compositeResponse", "status": "httpStatusCode", "id": "body.id", "code": "body[0].errorCode"},
            (Element(0, ok=True, id="1", status=201), Element(1, ok=False, status=400, code="X")),
            id="a status each",
        ),
        pytest.param(
            {
                "status": "COMPLETE",
                "results": [{"id": "1"}],
                "numErrors": 1,
                "errors": [{"category": "C", "message": "m"}],
            },
            {"at": "results", "failures_at": "errors", "id": "id", "code": "category"},
            (Element(0, ok=True, id="1"), Element(1, ok=False, code="C")),
            id="a list of failures beside",
        ),
        pytest.param(
            {"result": [{"id": 1, "status": "created"}, {"status": "skipped", "reasons": [{"code": "1005"}]}]},
            {"at": "result", "failed": {"status": "skipped"}, "id": "id", "code": "reasons[0].code"},
            (Element(0, ok=True, id="1"), Element(1, ok=False, code="1005")),
            id="a word each",
        ),
    ],
)
@pytest.mark.parametrize("status", [200, 207])
def test_E2_partial_success_is_told_element_by_element(
    document: JsonValue, elements: dict[str, Any], expected: tuple[Element, ...], status: int
) -> None:
    """A 2xx in which some elements failed is neither a success of all nor a failure of all."""
    done = batch(scripted(answer(document, status=status)), elements=elements)

    assert expected == done.elements
    assert tuple(element for element in expected if not element.ok) == done.failed


def test_a_batch_is_sent_in_parts_that_the_provider_takes() -> None:
    """Elements are counted through."""
    parts: list[list[JsonValue]] = [[{"id": "a"}, {"id": "b"}], [{"id": "c"}, {"id": "d"}], [{"id": "e"}]]
    provider = scripted(*(answer({"results": part}) for part in parts))

    done = batch(provider, elements={"at": "results", "id": "id"}, count=5)

    sent = [{"email": str(number)} for number in range(5)]
    assert [{"inputs": sent[:2]}, {"inputs": sent[2:4]}, {"inputs": sent[4:]}] == provider.bodies
    assert [0, 1, 2, 3, 4] == [element.index for element in done.elements]


def test_a_batch_that_breaks_off_says_what_was_written() -> None:
    """The error holds the fates of the parts before it."""
    provider = scripted(answer({"results": [{"id": "a"}, {"id": "b"}]}), Response(429))
    with pytest.raises(ProviderBusy) as caught:
        batch(provider, elements={"at": "results", "id": "id"}, count=3)

    assert (Element(0, ok=True, id="a"), Element(1, ok=True, id="b")) == caught.value.written


@pytest.mark.parametrize(
    "document", [{"x": 1}, {"results": [{"id": "1"}]}, {"results": None}, {"results": [{"id": "1"}] * 3}]
)
def test_E2_an_answer_that_leaves_a_fate_untold_is_no_success(document: JsonValue) -> None:
    """A path that leads nowhere must not read as "nothing failed": each record sent has a fate."""
    with pytest.raises(PageUnreadable, match="of the 2 records that were sent"):
        batch(scripted(answer(document)), elements={"at": "results", "id": "id"})


def test_a_batch_may_be_the_whole_body() -> None:
    """The body is the list itself."""
    provider = scripted(answer([{"ok": 1}]))
    batch(provider, elements={"at": "$"}, at="$", count=1)

    assert [[{"email": "0"}]] == provider.bodies


def test_many_records_need_an_operation_that_takes_them() -> None:
    """One by one is the caller's to decide: it is not one write."""
    made = engine(contacts(), scripted(), clock=CLOCK)
    with pytest.raises(CallWrong, match="writes one record at a time"):
        asyncio.run(made.write_many("crm.contact", "create", [{"email": "a"}]))


def test_a_listing_cannot_be_written() -> None:
    """It is read."""
    with pytest.raises(CallWrong, match=r"contacts\.search is a listing"):
        written(contacts(), scripted(), "search", {"email": "a"})


def test_nothing_of_a_record_stands_in_print() -> None:
    """Records and messages are personal data."""
    assert "ann" not in repr(Written(200, {"name": "ann"}, elements=(Element(0, ok=False, message="ann"),)))
