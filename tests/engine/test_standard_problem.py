"""Problem details. Ids are those of the project's table of inputs."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connproof.decode import decode, decode_as_sent
from connproof.errors import CallWrong, ConnproofError, LimitExceeded, PageUnreadable, ProviderBusy, ProviderSaid
from connproof.model import Response
from connproof.places import ABSENT, Absent, JsonValue
from connproof.ratelimit import read_limits
from connproof.scrub import Scrubber
from connproof.standards.problem import ProblemDetails, problem_document, read_problem
from scripted import connector, read, scripted

NOW = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
PROBLEM = "application/problem+json"
WHOLE: dict[str, JsonValue] = {
    "type": "https://example.com/probs/busy",
    "title": "Busy",
    "status": 429,
    "detail": "Too many today.",
    "instance": "/logs/7",
}
QUOTA = "https://iana.org/assignments/http-problem-types#quota-exceeded"


def answer(document: Any, content_type: str = PROBLEM, status: int = 429) -> Response:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return Response(status, (("content-type", content_type),), body)


def found(document: JsonValue | Absent, content_type: str = PROBLEM, status: int = 429) -> ProblemDetails | None:
    return read_problem(Response(status, (("content-type", content_type),)), document)


def members(problem: ProblemDetails | None) -> dict[str, JsonValue]:
    assert problem is not None
    return {name: getattr(problem, name) for name in WHOLE}


def test_PD01_all_five_members() -> None:
    """Each is read as it stands."""
    problem = found(WHOLE)

    assert WHOLE == members(problem)
    assert problem is not None and (() == problem.notes) and not problem.extensions


@pytest.mark.parametrize(
    "content_type",
    [
        pytest.param("application/problem+json; charset=utf-8", id="PD02-parameter"),
        pytest.param("Application/Problem+JSON ;x=1", id="PD02-case"),
    ],
)
def test_PD02_the_media_type_is_recognised(content_type: str) -> None:
    """Parameters and letter case do not count."""
    assert WHOLE == members(found(WHOLE, content_type))


@pytest.mark.parametrize(
    ("content_type", "document"),
    [
        pytest.param("application/json", WHOLE, id="PD03"),
        pytest.param(PROBLEM, [WHOLE], id="PD11-array"),
        pytest.param(PROBLEM, "busy", id="PD11-text"),
        pytest.param(PROBLEM, None, id="PD11-null"),
        pytest.param(PROBLEM, ABSENT, id="PD11-empty"),
        pytest.param("application/problem+xml", {"problem": WHOLE}, id="PD15"),
        pytest.param("", WHOLE, id="no-type"),
    ],
)
def test_what_is_no_problem_document(content_type: str, document: JsonValue | Absent) -> None:
    """The media type and an object make one, not the look of the members."""
    assert found(document, content_type) is None


def test_PD03_unless_declared() -> None:
    """A config may say that a provider's problems come as plain JSON."""
    plain = Response(429, (("content-type", "application/json"),))

    assert WHOLE == members(read_problem(plain, WHOLE, declared=True))


@pytest.mark.parametrize(
    ("change", "differs", "notes"),
    [
        pytest.param({"type": None}, {"type": "about:blank"}, (), id="PD04-null"),
        pytest.param({"status": "429"}, {"status": None}, ("wrong_type: status",), id="PD06"),
        pytest.param({"status": True}, {"status": None}, ("wrong_type: status",), id="PD06-boolean"),
        pytest.param({"status": 42_900}, {"status": None}, ("wrong_type: status",), id="PD06-no-status"),
        pytest.param({"status": 200}, {"status": 200}, ("status_differs",), id="PD07"),
        pytest.param({"title": ["x"]}, {"title": None}, ("wrong_type: title",), id="PD08-title"),
        pytest.param({"detail": 5}, {"detail": None}, ("wrong_type: detail",), id="PD08-detail"),
        pytest.param({"instance": {}}, {"instance": None}, ("wrong_type: instance",), id="PD08-instance"),
        pytest.param({"type": 5}, {"type": "about:blank"}, ("wrong_type: type",), id="PD08-type"),
    ],
)
def test_a_wrong_member_counts_as_absent(
    change: dict[str, JsonValue], differs: dict[str, JsonValue], notes: tuple[str, ...]
) -> None:
    """Each alone: the others are kept."""
    problem = found({**WHOLE, **change})

    assert {**WHOLE, **differs} == members(problem)
    assert problem is not None and notes == problem.notes


def test_PD04_without_a_type() -> None:
    """about:blank is the default."""
    assert "about:blank" == members(found({}))["type"]


@pytest.mark.parametrize(
    ("said", "compared"),
    [
        pytest.param("/probs/busy#now", "https://api.example/probs/busy#now", id="PD05-path"),
        pytest.param("busy", "https://api.example/v1/busy", id="PD05-relative"),
        pytest.param(QUOTA, QUOTA, id="PD05-absolute"),
        pytest.param("about:blank", "about:blank", id="PD05-blank"),
        pytest.param("tag:example.com,2026:busy", "tag:example.com,2026:busy", id="PD05-other-scheme"),
        pytest.param("//user:pw@evil/x", "//user:pw@evil/x", id="PD05-refused"),
    ],
)
def test_PD05_a_relative_type(said: str, compared: str) -> None:
    """Kept as it is; for comparison alone it is made absolute."""
    problem = found({"type": said})

    assert problem is not None
    assert (said, compared) == (problem.type, problem.type_at("https://api.example/v1/rows?page=1"))


def test_PD07_the_http_status_counts() -> None:
    """Through the engine: a problem that says 200 is still the throttle that HTTP says."""
    with pytest.raises(ProviderBusy) as caught:
        read(connector(), scripted(answer({**WHOLE, "status": 200})))

    assert 429 == caught.value.status


def test_PD09_extensions_are_kept_untouched() -> None:
    """The engine ignores what it does not know, and the document is not changed."""
    document: dict[str, JsonValue] = {**WHOLE, "balance": 30, "accounts": ["/a", None]}
    before = json.dumps(document)

    problem = found(document)

    assert problem is not None and {"balance": 30, "accounts": ["/a", None]} == dict(problem.extensions)
    assert before == json.dumps(document)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        pytest.param(["daily", "bandwidth"], ("daily", "bandwidth"), id="PD10"),
        pytest.param(["daily", 5, None], ("daily",), id="PD10-other-types"),
        pytest.param("daily", (), id="PD10-no-list"),
    ],
)
def test_PD10_violated_policies_reach_the_normaliser(said: JsonValue, expected: tuple[str, ...]) -> None:
    """Their names are told; no number is made of them."""
    document: JsonValue = {"type": QUOTA, "violated-policies": said}

    limits = read_limits(None, answer(document), document, now=NOW, throttled=True)

    assert expected == limits.violated
    assert () == limits.headers()


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="PD11-empty"),
        pytest.param(b'{"type": "x", "sta', id="PD11-truncated"),
        pytest.param(b"<html>busy</html>", id="PD11-HTML"),
        pytest.param(b'{"status": NaN}', id="PD12-NaN"),
        pytest.param(b"[" * 100_000, id="PD12-brackets"),
        pytest.param(b'{"title": "\\ud800"}', id="PD12-half-a-pair"),
    ],
)
def test_a_body_that_is_no_document(body: bytes) -> None:
    """No problem document, no exception, and the HTTP status counts."""
    response = answer(body)

    assert read_problem(response, decode_as_sent(response).value) is None
    with pytest.raises(ProviderBusy):
        read(connector(), scripted(response))


@pytest.mark.parametrize(
    ("body", "error"), [(b'{"status": NaN}', PageUnreadable), (b'{"a":' * 100_000, (PageUnreadable, LimitExceeded))]
)
def test_PD12_decoding_refuses(body: bytes, error: type[Exception]) -> None:
    """S25: as everywhere, such a body is a typed error where a page is meant."""
    with pytest.raises(error):
        decode(answer(body))


def test_PD12_of_duplicate_keys_the_last_counts() -> None:
    """As in every client in the field."""
    response = answer(b'{"title": "a", "title": "b"}')

    assert "b" == members(read_problem(response, decode(response)))["title"]


def test_PD13_what_is_shown_is_scrubbed_and_escaped() -> None:
    """S34, S48: a provider may echo what it was sent, and may write what moves a terminal."""
    document = {**WHOLE, "title": "token s3cr/t-token-1234", "detail": "bad\n\x1b[31mred s3cr%2Ft-token-1234"}

    problem = found(document)

    assert problem is not None
    shown = problem.shown(Scrubber(["s3cr/t-token-1234"]))
    assert "token [credential]: bad\\n\\x1b[31mred [credential]" == shown
    assert "s3cr" not in repr(problem)


@pytest.mark.parametrize("kind", ["https://evil.example/probs", "file:///etc/passwd", "//evil.example/x"])
def test_PD14_nothing_is_fetched(kind: str) -> None:
    """S41: a problem's type and instance name nothing that anybody asks for."""
    provider = scripted(answer({**WHOLE, "type": kind, "instance": kind}))

    with pytest.raises(ProviderBusy):
        read(connector(), provider)

    assert ["/rows"] == provider.asked


@pytest.mark.parametrize(
    ("error", "status", "title"),
    [
        (ProviderBusy("busy", status=429), 429, "Too Many Requests"),
        (ProviderBusy("busy", status=529), 529, "ProviderBusy"),
        (ProviderSaid("a page of another kind", status=200), 502, "Bad Gateway"),
        (ProviderSaid("no answer"), 502, "Bad Gateway"),
        (CallWrong("no such resource"), 500, "Internal Server Error"),
    ],
)
def test_PD16_our_own_problem(error: ConnproofError, status: int, title: str) -> None:
    """Its status is the one to answer with."""
    document = problem_document(error)

    assert {"type": "about:blank", "title": title, "status": status, "detail": error.what} == document
    assert document == json.loads(json.dumps(document))


def test_PD16_no_url_with_a_credential() -> None:
    """Neither a query nor a user name goes out, whoever wrote them into the error."""
    error = ProviderSaid(
        "asked https://user:s3cret@a.example/x?key=s3cret#s3 and\nhttps://b.example/?s3cret", status=500
    )

    assert "asked https://...@a.example/x?... and\\nhttps://b.example/?..." == problem_document(error)["detail"]


documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*WHOLE, "violated-policies"]), inner),
    max_leaves=8,
)


@given(documents, st.integers(100, 599))
def test_no_document_raises(document: JsonValue, status: int) -> None:
    """Any JSON is a problem whose members have the right types, or none."""
    problem = found(document, status=status)

    assert (problem is None) is not isinstance(document, dict)
    assert problem is None or all(
        isinstance(said, str | None) for name, said in members(problem).items() if name != "status"
    )
