"""P33: one listing read once for each record of another."""

from __future__ import annotations

from typing import Any

import pytest

from connproof.errors import CallWrong, ConfigWrong, CursorExpired, NotFound, ProviderBroke, ProviderBusy
from connproof.events import AsideRead, PageRead, ReadEnded
from connproof.model import Connector, Request, Response
from connproof.places import JsonValue
from connproof.run import Call, Record
from pieces import BUSY, Serve, asked_for, assert_resumable, path_of, resource
from scripted import Provider, answer, items, read, rows, scripted

CURSOR: dict[str, Any] = {"type": "cursor", "cursor_field": "next"}
EACH: dict[str, Any] = {"operation": "rows.tenants", "params": {"tenant": "id"}}
TENANTS: dict[str, Any] = {"returns": "list", "pagination": CURSOR}


def fanned(each: dict[str, Any] | None = None, /, tenants: dict[str, Any] | None = None, **words: Any) -> Connector:
    """Invoices of each tenant: the tenant goes into a header."""
    listing = {
        "path": "/invoices",
        "headers": {"X-Tenant": "{tenant}"},
        "pagination": CURSOR,
        "for_each": {**EACH, **(each or {})},
        **words,
    }
    return resource(list=listing, tenants={**TENANTS, **(tenants or {})})


def invoices(counts: dict[str, int], *, tenants_a_page: int = 2) -> Serve:
    """Tenants with so many invoices each; two invoices a page."""
    names = list(counts)

    def serve(request: Request) -> Response:
        begin = int(asked_for(request).get("next", 0))
        if path_of(request) == "/tenants":
            end = begin + tenants_a_page
            listed: list[JsonValue] = [{"id": name} for name in names[begin:end]]
            return answer({"items": listed, "next": str(end) if end < len(names) else None})
        tenant = request.header("x-tenant") or ""
        end = min(begin + 2, counts[tenant])
        numbers: list[JsonValue] = [{"of": tenant, "n": number} for number in range(begin + 1, end + 1)]
        return answer({"items": numbers, "next": str(end) if end < counts[tenant] else None})

    return serve


def expected(counts: dict[str, int]) -> list[Record]:
    return [{"of": tenant, "n": number} for tenant, count in counts.items() for number in range(1, count + 1)]


COUNTS: list[dict[str, int]] = [
    {},
    {"a": 1},
    {"a": 0},
    {"a": 0, "b": 3, "c": 0},
    {"a": 5, "b": 2, "c": 1, "d": 4, "e": 0},
    {"a": 2, "b": 2, "c": 2, "d": 2},
]


@pytest.mark.parametrize("counts", COUNTS, ids=lambda counts: "-".join(map(str, counts.values())) or "none")
@pytest.mark.parametrize("a_page", [1, 2, 5])
def test_P33_every_parent_is_read_and_the_read_can_be_broken_off_anywhere(counts: dict[str, int], a_page: int) -> None:
    """Parents, and pages of each: nothing is lost, nothing comes twice."""
    assert_resumable(fanned(), lambda: invoices(counts, tenants_a_page=a_page), expected(counts))


def test_P33_each_parent_is_asked_with_its_own_parameters() -> None:
    """Parents are asked for page by page, as they are needed."""
    provider = Provider(invoices({"a": 3, "b": 1, "c": 1}))

    read(fanned(), provider)

    assert ["/tenants", "/invoices", "/invoices?next=2", "/invoices", "/tenants?next=2", "/invoices"] == provider.asked
    assert [None, "a", "a", "b", None, "c"] == [request.header("x-tenant") for request in provider.requests]


def test_P33_no_parents_are_no_records() -> None:
    """The read is whole, and says so."""
    provider = scripted(items())

    assert [] == read(fanned(), provider)
    assert ReadEnded("every parent was read", 0, 0) == provider.events[-1]


def test_P33_an_empty_page_of_parents_is_not_the_end() -> None:
    """The parents' own pagination says where they end."""
    provider = scripted(items(next="p"), answer({"items": [{"id": "b"}]}), items(1))

    assert rows(1, 1) == read(fanned(), provider)


def test_P33_pages_are_counted_over_all_parents() -> None:
    """And a page of parents is no page of the listing."""
    provider = Provider(invoices({"a": 3, "b": 1}))

    read(fanned(), provider)

    pages = [event for event in provider.events if isinstance(event, PageRead)]
    assert [(0, 0, 2), (1, 2, 1), (2, 3, 1)] == [
        (page.position.pages, page.position.records, page.records) for page in pages
    ]
    assert [AsideRead("for_each", "rows.tenants", 2)] == [e for e in provider.events if isinstance(e, AsideRead)]
    assert ReadEnded("every parent was read", 3, 4) == provider.events[-1]
    assert None is pages[-1].next


def test_P33_a_parent_can_be_put_into_its_records() -> None:
    """Under a name of the config's choice."""
    config = fanned({"into": "tenant"})
    provider = scripted(answer({"items": [{"id": "a", "name": "A"}]}), items(1))

    assert [{"id": 1, "tenant": {"id": "a", "name": "A"}}] == read(config, provider)


@pytest.mark.parametrize("record", [{"id": 1, "tenant": None}, "text"], ids=str)
def test_P33_a_parent_replaces_nothing(record: JsonValue) -> None:
    """A member of the provider's own is not written over; a text has no members."""
    provider = scripted(answer({"items": [{"id": "a"}]}), answer({"items": [record]}))

    with pytest.raises(ProviderBroke, match='cannot be put into a record as "tenant"'):
        read(fanned({"into": "tenant"}), provider)


def test_P33_an_error_names_the_parents_number_and_not_what_it_is() -> None:
    """A tenant's name is the account's own."""
    provider = scripted(answer({"items": [{"id": "secret-a"}, {"id": "secret-b"}]}), items(1), Response(404))

    with pytest.raises(NotFound) as said:
        read(fanned(), provider)

    assert "2 of rows.tenants" == said.value.facts["parent"]
    assert "secret" not in str(said.value)
    assert said.value.resume


def test_P33_a_throttle_of_one_parent_goes_to_the_caller_at_once() -> None:
    """No other parent is asked meanwhile."""
    provider = scripted(answer({"items": [{"id": "a"}, {"id": "b"}]}), BUSY)

    with pytest.raises(ProviderBusy) as busy:
        read(fanned(), provider)

    assert (1, 2) == (busy.value.seconds, len(provider.requests))
    assert busy.value.resume


@pytest.mark.parametrize(
    "parents", [[{"id": "x"}, {"id": "b"}], [{"id": "b"}], []], ids=["another", "one is gone", "none is left"]
)
def test_P33_a_resumed_read_whose_parents_changed_fails(parents: list[JsonValue]) -> None:
    """A child's position would be sent for another parent; or a parent would be left out in silence."""
    with pytest.raises(ProviderBusy) as busy:
        read(fanned(), scripted(answer({"items": [{"id": "a"}, {"id": "b"}]}), items(1, next="2"), BUSY))
    provider = scripted(answer({"items": parents}))

    with pytest.raises(CursorExpired, match="the parents are no longer those"):
        read(fanned(), provider, Call(resume=busy.value.resume))

    assert 1 == len(provider.requests)


def test_P33_parents_behind_the_place_may_change() -> None:
    """What comes after is read as it is then."""
    with pytest.raises(ProviderBusy) as busy:
        read(fanned(), scripted(answer({"items": [{"id": "a"}, {"id": "b"}]}), items(1), BUSY))
    provider = scripted(answer({"items": [{"id": "a"}, {"id": "b"}, {"id": "c"}]}), items(2), items(3))

    assert rows(2, 3) == read(fanned(), provider, Call(resume=busy.value.resume))
    assert [None, "b", "c"] == [request.header("x-tenant") for request in provider.requests]


@pytest.mark.parametrize("parent", [{}, {"id": None}, {"id": ""}, {"id": {"x": 1}}], ids=str)
def test_P33_a_parent_without_what_is_asked_by_is_an_error(parent: JsonValue) -> None:
    """A listing without its tenant would be another listing. Pages before it are given."""
    records: list[Record] = []

    with pytest.raises(ProviderBroke) as said:
        read(fanned(), scripted(answer({"items": [{"id": "a"}, parent]}), items(1)), into=records)

    assert "2 of rows.tenants" == said.value.facts["parent"]
    assert rows(1, 1) == records


@pytest.mark.parametrize("tenant", ["..", "a\r\nx-admin: 1"], ids=["a path", "a header"])
def test_P33_a_parent_that_no_request_may_hold_is_the_providers_fault(tenant: str) -> None:
    """S12: it would lead elsewhere, or add a header. Nothing is sent, and the caller is not blamed."""
    config = fanned(path="/t/{tenant}/rows") if tenant == ".." else fanned()
    provider = scripted(answer({"items": [{"id": tenant}]}))

    with pytest.raises(ProviderBroke, match="what a record names cannot be sent") as said:
        read(config, provider)

    assert ("1 of rows.tenants", 1) == (said.value.facts["parent"], len(provider.requests))
    assert "admin" not in str(said.value)


def test_P33_whole_records_of_each_parent() -> None:
    """Tenants, their invoices, each by itself and with all of its lines: broken off at every request."""
    line = {"response_path": "items", "pagination": CURSOR, "operation": "lines", "params": {"invoice": "id"}}
    config = resource(
        list={
            "path": "/t/{tenant}/invoices",
            "pagination": CURSOR,
            "for_each": {**EACH, "into": "tenant"},
            "hydrate": {"operation": "get", "param": "id", "from": "id", "merge": True},
            "nested": {"lines": line},
        },
        get={"path": "/t/{tenant}/invoices/{id}", "response_path": "invoice"},
        lines={"path": "/t/{tenant}/invoices/{invoice}/lines", "returns": "list", "pagination": CURSOR},
        tenants={"returns": "list"},
    )

    def serve(request: Request) -> Response:
        _, *parts = path_of(request).split("/")
        begin = int(asked_for(request).get("next", 0))
        match parts:
            case ["tenants"]:
                return answer({"items": [{"id": "a"}, {"id": "b"}]})
            case ["t", _, "invoices"]:
                first: JsonValue = {"items": [0], "next": "1"}
                return answer({"items": [{"id": begin, "lines": first}], "next": str(begin + 1) if begin < 2 else None})
            case ["t", tenant, "invoices", number]:
                return answer({"invoice": {"of": tenant, "n": int(number)}})
            case _:
                return answer({"items": [begin], "next": "2" if begin == 1 else None})

    assert_resumable(
        config,
        lambda: serve,
        [
            {
                "id": number,
                "lines": {"items": [0, 1, 2], "next": "1"},
                "of": tenant,
                "n": number,
                "tenant": {"id": tenant},
            }
            for tenant in ("a", "b")
            for number in range(3)
        ],
    )


def test_P33_a_calls_parameters_go_to_whom_they_belong() -> None:
    """To the parents, to the children, or to both; one that neither has is refused."""
    config = fanned(query={"q": "{q}", "all": "{all}"}, tenants={"query": {"kind": "{kind}", "all": "{all}"}})
    provider = scripted(answer({"items": [{"id": "a"}]}), items(1))

    read(config, provider, Call(params={"q": "1", "kind": "2", "all": "3"}))

    assert ["/tenants?kind=2&all=3", "/invoices?q=1&all=3"] == provider.asked
    with pytest.raises(CallWrong, match='has no parameter "kin"'):
        read(config, scripted(), Call(params={"kin": "2"}))


def test_P33_the_caller_does_not_give_what_the_parents_give() -> None:
    """Otherwise one of the two would be ignored."""
    with pytest.raises(CallWrong, match=r'"tenant" of rows\.list comes from rows\.tenants'):
        read(fanned(), scripted(), Call(params={"tenant": "a"}))


def test_P33_a_token_belongs_to_the_parents_listing_too() -> None:
    """Other parents, another read."""
    config = fanned(tenants={"query": {"kind": "{kind}"}})
    with pytest.raises(ProviderBusy) as busy:
        read(config, scripted(BUSY), Call(params={"kind": "1"}))

    with pytest.raises(CallWrong, match="of another read"):
        read(config, scripted(), Call(params={"kind": "2"}, resume=busy.value.resume))


def test_P33_a_limit_ends_the_read_in_the_middle_of_a_parent() -> None:
    """No other parent is asked."""
    provider = Provider(invoices({"a": 3, "b": 1}))

    assert expected({"a": 3})[:1] == read(fanned(), provider, Call(limit=1))
    assert 2 == len(provider.requests)


def test_P33_ids_that_are_no_objects_are_parents() -> None:
    """The parent may be the value itself; it may stand in the path."""
    config = resource(
        list={"path": "/t/{tenant}/rows", "for_each": {**EACH, "params": {"tenant": "$"}}},
        tenants={"returns": "list"},
    )
    provider = scripted(answer({"items": ["a/b", 7]}), items(1), items(2))

    assert rows(1, 2) == read(config, provider)
    assert ["/tenants", "/t/a%2Fb/rows", "/t/7/rows"] == provider.asked


def test_P33_parents_of_parents() -> None:
    """A listing that is itself read for each of another: sites of clouds, pages of sites."""
    config = resource(
        list={
            "path": "/s/{site}/pages",
            "pagination": CURSOR,
            "for_each": {"operation": "rows.sites", "params": {"site": "id"}},
        },
        sites={
            "path": "/c/{cloud}/sites",
            "returns": "list",
            "for_each": {"operation": "rows.clouds", "params": {"cloud": "id"}},
        },
        clouds={"returns": "list"},
    )

    def serve(request: Request) -> Response:
        path = path_of(request)
        if path == "/clouds":
            return answer({"items": [{"id": "1"}, {"id": "2"}]})
        if path.endswith("/sites"):
            cloud = path.split("/")[2]
            return answer({"items": [{"id": f"{cloud}{site}"} for site in "xyz"[: int(cloud)]]})
        begin = int(asked_for(request).get("next", 0))
        record: JsonValue = {"site": path.split("/")[2], "n": begin}
        return answer({"items": [record], "next": "1" if begin == 0 else None})

    assert_resumable(
        config, lambda: serve, [{"site": site, "n": number} for site in ("1x", "2x", "2y") for number in (0, 1)]
    )


@pytest.mark.parametrize("clouds", [[], [{"id": "1"}]], ids=["no cloud", "a cloud without sites"])
def test_P33_no_parents_of_parents_are_no_records(clouds: list[JsonValue]) -> None:
    """However far up there is nothing."""
    config = resource(
        list={"path": "/s/{site}", "for_each": {"operation": "rows.sites", "params": {"site": "id"}}},
        sites={
            "path": "/c/{cloud}",
            "returns": "list",
            "for_each": {"operation": "rows.clouds", "params": {"cloud": "id"}},
        },
        clouds={"returns": "list"},
    )

    def serve(request: Request) -> Response:
        return answer({"items": clouds if path_of(request) == "/clouds" else []})

    assert_resumable(config, lambda: serve, [])


def test_P33_each_parents_listing_in_windows_and_anew() -> None:
    """What a listing does by itself it does for each parent."""
    config = resource(
        list={
            "path": "/t/{tenant}/rows",
            "key": "id",
            "pagination": {**CURSOR, "window": {"cap": 4, "field": "id", "param": "since"}},
            "for_each": EACH,
        },
        tenants={"returns": "list"},
    )

    def serve(request: Request) -> Response:
        if path_of(request) == "/tenants":
            return answer({"items": [{"id": 0}, {"id": 100}]})
        base, said = int(path_of(request).split("/")[2]), asked_for(request)
        matching = [number for number in range(base + 1, base + 8) if number >= int(said.get("since", 0))]
        begin = int(said.get("next", 0))
        more = begin + 2 < min(4, len(matching))
        return answer(
            {"items": [{"id": n} for n in matching[begin : begin + 2]], "next": str(begin + 2) if more else None}
        )

    assert_resumable(config, lambda: serve, [*rows(1, 7), *rows(101, 107)])


@pytest.mark.parametrize(
    ("each", "problem"),
    [
        ({"operation": "rows.tenant"}, 'did you mean "rows.tenants"?'),
        ({"operation": "rows.list"}, "leads back to this listing itself"),
        ({"params": {"tennant": "id"}}, 'rows.list has no parameter "tennant"'),
        ({"params": {}}, "is empty"),
        ({"params": {"tenant": "ids[*]"}}, "one value is meant here"),
        ({"params": {"a b": "id"}}, "does not match"),
    ],
)
def test_P33_what_could_not_work_is_refused(each: dict[str, Any], problem: str) -> None:
    """When the config is read, with the place."""
    with pytest.raises(ConfigWrong) as wrong:
        fanned(each)

    assert problem in str(wrong.value)


def test_P33_a_circle_of_parents_is_refused() -> None:
    """Also one over several listings."""
    with pytest.raises(ConfigWrong) as wrong:
        fanned(tenants={"query": {"q": "{x}"}, "for_each": {"operation": "rows.list", "params": {"x": "id"}}})

    assert "leads back to this listing itself" in str(wrong.value)
