"""When a paginated read ends: cursors, stop words, empty and short pages, totals. Ids are those of the checklist."""

from __future__ import annotations

from typing import Any

import pytest

from connproof.errors import PageUnreadable, ProviderBroke, ProviderSaid
from connproof.model import Response
from connproof.places import JsonValue
from connproof.run import Call
from scripted import answer, connector, items, read, rows, scripted

CURSOR: dict[str, Any] = {"type": "cursor", "cursor_field": "next"}
PAGE: dict[str, Any] = {"type": "page", "page_param": "page"}
OFFSET: dict[str, Any] = {"type": "offset", "offset_param": "start"}
SIZED: dict[str, Any] = {"page_size_param": "limit", "default_page_size": 2}


# P1: a cursor, and its three ways to be none.


@pytest.mark.parametrize("last", [{}, {"next": None}, {"next": ""}], ids=["absent", "null", "empty"])
def test_P1_cursor_ends_when_there_is_none(last: dict[str, JsonValue]) -> None:
    """An absent, a null and an empty cursor all end the read, after the records of that page."""
    provider = scripted(items(1, 2, next="c2"), items(3, **last))

    assert rows(1, 3) == read(connector(CURSOR), provider)
    assert ["/rows", "/rows?next=c2"] == provider.asked
    assert "the page names no next one" == provider.ended


@pytest.mark.parametrize(
    ("cursor", "sent"), [(0, "0"), ("0", "0"), (False, "false"), (1.5, "1.5"), (2**70, "1180591620717411303424")]
)
def test_P1_presence_makes_a_cursor(cursor: JsonValue, sent: str) -> None:
    """0, "0" and false are cursors: they are sent back, and never taken for the end."""
    provider = scripted(items(1, next=cursor), items(2))

    assert rows(1, 2) == read(connector(CURSOR), provider)
    assert ["/rows", f"/rows?next={sent}"] == provider.asked


@pytest.mark.parametrize("cursor", [{"page": 2}, ["c2"]], ids=["object", "list"])
def test_P1_cursor_object_is_refused_in_a_query(cursor: JsonValue) -> None:
    """A cursor that has no text form is an error, never the text of a Python object."""
    with pytest.raises(ProviderBroke, match="cannot be sent back as a parameter"):
        read(connector(CURSOR), scripted(items(1, next=cursor)))


def test_P1_cursor_in_a_response_header() -> None:
    """The cursor may stand in a header, whose name is compared without case."""
    config = connector({"type": "cursor", "cursor_header": "X-Next", "cursor_param": "after"})
    provider = scripted(answer({"items": rows(1, 1)}, ("x-next", "c2")), items(2))

    assert rows(1, 2) == read(config, provider)
    assert ["/rows", "/rows?after=c2"] == provider.asked


def test_P1_first_cursor_is_sent_at_once() -> None:
    """A provider that wants a first cursor gets it, encoded like any other."""
    provider = scripted(items(1))

    read(connector({**CURSOR, "cursor_param": "at", "first_cursor": "*"}), provider)

    assert ["/rows?at=%2A"] == provider.asked


# P2 and P3: a stop word with its polarity.


@pytest.mark.parametrize("polarity", [False, True], ids=["has_more", "done"])
def test_P2_stop_field_wins_over_a_live_cursor(polarity: bool) -> None:
    """The last page may still name a cursor; where the stop field says the end, it is not asked."""
    config = connector({**CURSOR, "stop_field": "meta.word", "stop_when": polarity})
    provider = scripted(items(1, next="c2", meta={"word": not polarity}), items(2, next="c3", meta={"word": polarity}))

    assert rows(1, 2) == read(config, provider)
    assert ["/rows", "/rows?next=c2"] == provider.asked
    assert "the provider says so" == provider.ended


def test_P2_stop_field_wins_over_a_live_link() -> None:
    """The same holds for a next URL."""
    config = connector({"type": "next_url", "next_url_field": "url", "stop_field": "end", "stop_when": True})
    provider = scripted(items(1, url="/v1/rows?p=2", end=False), items(2, url="/v1/rows?p=3", end=True))

    assert rows(1, 2) == read(config, provider)
    assert ["/rows", "/rows?p=2"] == provider.asked


def test_P2_stop_header_ends_the_read() -> None:
    """A header can be the stop word; its text is compared."""
    config = connector({**PAGE, "stop_header": "X-Last", "stop_when": "yes"})
    provider = scripted(
        answer({"items": rows(1, 1)}, ("x-last", "no")), answer({"items": rows(2, 2)}, ("x-last", "yes"))
    )

    assert rows(1, 2) == read(config, provider)
    assert 2 == len(provider.requests)


def test_P2_page_without_the_stop_field_says_nothing() -> None:
    """An absent stop field neither ends the read nor keeps it going: the cursor decides."""
    config = connector({**CURSOR, "stop_field": "more", "stop_when": False})
    provider = scripted(items(1, next="c2"), items(2))

    assert rows(1, 2) == read(config, provider)
    assert "the page names no next one" == provider.ended


def test_P2_null_in_the_stop_field_says_nothing() -> None:
    """A null is neither true nor false: it promises no further page."""
    config = connector({**CURSOR, "stop_field": "more", "stop_when": False})

    assert rows(1, 1) == read(config, scripted(items(1, more=None, next=None)))


def test_P2_null_can_be_the_stop_value() -> None:
    """Where null is declared as the stop value it ends the read, and nothing else does."""
    config = connector({**PAGE, "stop_field": "after", "stop_when": None})
    provider = scripted(items(1, after="x"), items(2, after=None))

    assert rows(1, 2) == read(config, provider)
    assert 2 == len(provider.requests)


@pytest.mark.parametrize("word", ["false", "true", 0, 1, "", []])
def test_P3_a_stop_field_of_another_class_is_an_error(word: JsonValue) -> None:
    """Where true or false is declared, "false" and 0 are neither: to stop or to go on would be a guess."""
    config = connector({**CURSOR, "stop_field": "more", "stop_when": False})

    with pytest.raises(ProviderBroke, match="the stop field is not true or false"):
        read(config, scripted(items(1, next="c2", more=word)))


def test_P3_text_is_compared_as_text() -> None:
    """A provider that writes its flag as text has the text declared."""
    config = connector({**CURSOR, "stop_field": "more", "stop_when": "false"})
    provider = scripted(items(1, next="c2", more="true"), items(2, next="c3", more="false"))

    assert rows(1, 2) == read(config, provider)


def test_P2_has_more_without_a_cursor_is_an_error() -> None:
    """A page that promises more and names nothing to go on with has lost records, not ended."""
    config = connector({**CURSOR, "stop_field": "more", "stop_when": False})
    read_so_far: list[Any] = []

    with pytest.raises(ProviderBroke, match="says that there is more, but names nothing to go on with") as said:
        read(config, scripted(items(1, next="c2", more=True), items(2, more=True)), into=read_so_far)

    assert rows(1, 1) == read_so_far
    assert said.value.resume is not None


@pytest.mark.parametrize(
    "words",
    [{"short_page": "stop"}, {"total_field": "total"}, {"empty_page": "stop"}],
    ids=lambda words: next(iter(words)),
)
def test_P2_has_more_wins_over_what_a_page_looks_like(words: dict[str, JsonValue]) -> None:
    """While the provider says that there is more, no short page, total or empty page ends the read."""
    config = connector({**PAGE, **SIZED, **words, "stop_field": "more", "stop_when": False})
    provider = scripted(items(1, more=True, total=1), items(more=True, total=1), items(2, 3, more=False, total=3))

    assert rows(1, 3) == read(config, provider)


# P4: empty pages, and pages without their list.


@pytest.mark.parametrize("kind", ["cursor", "next_url", "link_header"])
def test_P4_empty_page_is_not_the_end_where_the_page_names_a_next_one(kind: str) -> None:
    """A filter may empty a page in the middle; while cursor or link live on, so does the read."""
    pagination = {
        "cursor": CURSOR,
        "next_url": {"type": "next_url", "next_url_field": "url"},
        "link_header": {"type": "link_header"},
    }[kind]

    def page(*ids: int, to: str) -> Response:
        url = f"/v1/rows?p={to}"
        body: JsonValue = {"items": [{"id": i} for i in ids], "next": to, "url": url}
        return answer(body, ("link", f"<{url}>; rel=next"))

    provider = scripted(page(1, to="2"), page(to="3"), items(2))

    assert rows(1, 2) == read(connector(pagination), provider)
    assert 3 == len(provider.requests)


@pytest.mark.parametrize("pagination", [PAGE, OFFSET], ids=["page", "offset"])
def test_P4_empty_page_is_the_end_where_positions_are_counted(pagination: dict[str, Any]) -> None:
    """A page past the end is empty: that is how a counted listing ends."""
    provider = scripted(items(1, 2), items())

    assert rows(1, 2) == read(connector(pagination), provider)
    assert "an empty page" == provider.ended


def test_P4_empty_page_ends_a_cursor_where_the_config_says_so() -> None:
    """A provider whose cursor never dies has its empty page declared as the end."""
    provider = scripted(items(1, next="c2"), items(next="c3"))

    assert rows(1, 1) == read(connector({**CURSOR, "empty_page": "stop"}), provider)
    assert 2 == len(provider.requests)


def test_P4_counted_pages_may_be_empty_where_the_config_says_so() -> None:
    """With `continue` an empty page is passed over, and the total ends the read."""
    config = connector({**PAGE, "empty_page": "continue", "total_field": "pages", "total_counts": "pages"})
    provider = scripted(items(1, pages=3), items(pages=3), items(2, pages=3))

    assert rows(1, 2) == read(config, provider)


def test_P4_null_for_the_list_is_an_empty_page() -> None:
    """A provider that writes null for no records has said that there are none."""
    provider = scripted(answer({"items": None, "next": "c2"}), items(1))

    assert rows(1, 1) == read(connector(CURSOR), provider)


def test_P4_list_may_be_missing_where_the_config_says_so() -> None:
    """With items_may_be_missing an absent list is an empty page, and the read goes on."""
    config = connector(CURSOR, {"items_may_be_missing": True})
    provider = scripted(answer({"next": "c2"}), items(1))

    assert rows(1, 1) == read(config, provider)


def test_P4_missing_list_is_an_error_otherwise() -> None:
    """A path that leads nowhere must not pass for an empty listing."""
    with pytest.raises(PageUnreadable, match='"items" leads nowhere') as said:
        read(connector(CURSOR), scripted(answer({"rows": [], "next": None})))

    assert "rows, next" == said.value.facts["it has"]


@pytest.mark.parametrize(("seen", "kind"), [({"id": 1}, "an object"), ("none", "str"), (0, "int")])
def test_P4_what_is_no_list_is_an_error(seen: JsonValue, kind: str) -> None:
    """One record where a list belongs is not read as a list of one: nothing is guessed."""
    with pytest.raises(PageUnreadable, match="has no list of records") as said:
        read(connector(CURSOR), scripted(answer({"items": seen})))

    assert kind == said.value.facts["seen"]


# P19: no body at all.


NOTHING = pytest.mark.parametrize("empty", [Response(200), Response(200, (), b" \n")], ids=["none", "blank"])


def test_P19_no_content_is_an_empty_page() -> None:
    """A 204 is an empty page: the end of a counted listing, and no error."""
    provider = scripted(items(1), Response(204))

    assert rows(1, 1) == read(connector(PAGE), provider)
    assert "an empty page" == provider.ended


@NOTHING
def test_P19_no_body_is_an_empty_page_where_a_rule_says_so(empty: Response) -> None:
    """What a provider means by a 200 without a body is its own to say, and the config's to repeat."""
    rule = {"when": {"status": 200, "text": r"^\s*$"}, "means": "empty"}
    provider = scripted(items(1), empty)

    assert rows(1, 1) == read(connector(PAGE, errors=[rule]), provider)
    assert "an empty page" == provider.ended


@NOTHING
@pytest.mark.parametrize("paging", [PAGE, CURSOR], ids=["counted", "led"])
def test_P19_no_body_is_no_end(paging: dict[str, JsonValue], empty: Response) -> None:
    """A body that was lost on its way must not pass for the end: the records behind it would be lost in silence."""
    with pytest.raises(PageUnreadable, match=r"the answer of rows\.list has no body") as said:
        read(connector(paging), scripted(items(1, next="c2"), empty))

    assert said.value.resume is not None


def test_P19_no_body_ends_a_cursor_too() -> None:
    """Without a body there is no cursor to go on with."""
    provider = scripted(items(1, next="c2"), Response(204))

    assert rows(1, 1) == read(connector(CURSOR), provider)


# P13: short pages.


def test_P13_short_page_ends_the_read_where_declared() -> None:
    """With `stop` a page with fewer records than asked for is the last one: no request finds out again."""
    provider = scripted(items(1, 2), items(3))

    assert rows(1, 3) == read(connector({**PAGE, **SIZED, "short_page": "stop"}), provider)
    assert ["/rows?limit=2&page=1", "/rows?limit=2&page=2"] == provider.asked
    assert "a short page" == provider.ended


@pytest.mark.parametrize("words", [{}, {"short_page": "continue"}], ids=["unsaid", "continue"])
def test_P13_short_page_means_nothing_otherwise(words: dict[str, JsonValue]) -> None:
    """A provider may return short pages mid-stream; one more request finds the end."""
    provider = scripted(items(1), items(2, 3), items())

    assert rows(1, 3) == read(connector({**PAGE, **SIZED, **words}), provider)


def test_P13_full_last_page_is_followed_by_an_empty_one() -> None:
    """When the last page is full, no record is lost or repeated."""
    provider = scripted(items(1, 2), items())

    assert rows(1, 2) == read(connector({**OFFSET, **SIZED, "short_page": "stop"}), provider)


def test_P13_total_wins_over_a_short_page() -> None:
    """A server that silently lowers the page size gives only short pages: the total tells that they are not the end."""
    config = connector({**PAGE, **SIZED, "short_page": "stop", "total_field": "total"})
    provider = scripted(items(1, total=3), items(2, total=3), items(3, total=3))

    assert rows(1, 3) == read(config, provider)


# P14: totals.


@pytest.mark.parametrize("total", [3, "3"], ids=["number", "numeric string"])
def test_P14_total_of_records_ends_the_read(total: JsonValue) -> None:
    """The read ends when as many records were read as the total says, without asking for an empty page."""
    provider = scripted(items(1, 2, total=total), items(3, total=total))

    assert rows(1, 3) == read(connector({**OFFSET, "total_field": "total"}), provider)
    assert "the total is reached" == provider.ended


def test_P14_total_of_pages_ends_the_read() -> None:
    """A page count ends the read after that many pages, whatever stands on them."""
    config = connector({**PAGE, "total_field": "meta.pages", "total_counts": "pages"})
    provider = scripted(items(1, meta={"pages": 2}), items(2, meta={"pages": 2}))

    assert rows(1, 2) == read(config, provider)


def test_P14_total_in_a_header() -> None:
    """The total may stand in a header."""
    config = connector({**PAGE, "total_header": "X-Total"})
    provider = scripted(answer({"items": rows(1, 2)}, ("x-total", "2")))

    assert rows(1, 2) == read(config, provider)


@pytest.mark.parametrize("later", [0, None, 1], ids=["zero", "null", "smaller"])
def test_P14_total_of_the_first_page_holds_where_latched(later: JsonValue) -> None:
    """Some providers know the total on the first page alone: what later pages say is not looked at."""
    config = connector({**OFFSET, "total_field": "total", "total_from": "first"})
    provider = scripted(items(1, 2, total=5), items(3, 4, total=later), items(5, total=later))

    assert rows(1, 5) == read(config, provider)
    assert 3 == len(provider.requests)


def test_P14_total_of_each_page_follows_changing_data() -> None:
    """Records that are added while the listing is read are read too."""
    provider = scripted(items(1, 2, total=3), items(3, total=4), items(4, total=4))

    assert rows(1, 4) == read(connector({**OFFSET, "total_field": "total"}), provider)


@pytest.mark.parametrize("total", [None, "many", -1, True, 2.0, "", "٣"])
def test_P14_what_is_no_count_ends_nothing(total: JsonValue) -> None:
    """A total that is no count says nothing: the listing's own end is found."""
    provider = scripted(items(1, 2, total=total), items(3, total=total), items())

    assert rows(1, 3) == read(connector({**OFFSET, "total_field": "total"}), provider)


@pytest.mark.parametrize("latched", ["each", "first"])
@pytest.mark.parametrize("total", [0, "0", 1])
def test_P14_total_below_the_page_itself_is_an_error(total: JsonValue, latched: str) -> None:
    """A page with more records than its own total contradicts itself: to end there would lose the rest."""
    config = connector({**OFFSET, "total_field": "total", "total_from": latched})

    with pytest.raises(ProviderBroke, match="the total is smaller than the page that names it"):
        read(config, scripted(items(1, 2, total=total)))


def test_P14_no_pages_with_records_is_an_error() -> None:
    """The same holds for a page count of 0 on a page that has records."""
    config = connector({**PAGE, "total_field": "pages", "total_counts": "pages"})

    with pytest.raises(ProviderBroke, match="the total is smaller than the page that names it"):
        read(config, scripted(items(1, pages=0)))


def test_P14_zero_on_a_later_page_is_an_error_where_each_counts() -> None:
    """A total that falls to 0 while records come is not silently the end; the message names the word that helps."""
    config = connector({**OFFSET, "total_field": "total"})

    with pytest.raises(ProviderBroke, match='"total_from": "first"'):
        read(config, scripted(items(1, 2, total=5), items(3, 4, total=0)))


def test_P14_total_zero_of_an_empty_listing() -> None:
    """An empty listing with the total 0 is simply empty."""
    assert [] == read(connector({**OFFSET, "total_field": "total"}), scripted(items(total=0)))


# P29: one response.


def test_P29_one_response_is_the_whole_listing() -> None:
    """Without pagination one request is sent, whatever the page says beside its records."""
    provider = scripted(items(1, 2, next="c2", more=True))

    assert rows(1, 2) == read(connector({"type": "none"}), provider)
    assert "one response is the whole listing" == provider.ended


def test_error_of_a_page_says_where_it_was() -> None:
    """Whoever reads the error knows the operation, the page, and the config's line."""
    provider = scripted(items(1, 2, next="c2"), answer({}))

    with pytest.raises(ProviderSaid) as said:
        read(connector(CURSOR), provider, Call())

    assert "sample.rows.list, page 2, after 2 records" == said.value.facts["asked"]
    assert "connector.json:" in said.value.facts["config"]
