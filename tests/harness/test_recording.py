"""A recording is read whole or refused with line and reason, and written clean or not at all."""

from __future__ import annotations

import base64
import gzip
import json
import os
import re
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import quote

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connproof.errors import ConnproofError
from connproof.model import Request, Response
from connproof.places import ABSENT
from connproof.schemas import shipped
from pytest_connproof.recording import (
    FORMAT,
    Call,
    Provenance,
    RawLane,
    Recording,
    RecordingUnfit,
    assemble,
    document_of,
    dump,
    load,
    parse,
    save,
    unclean,
)
from pytest_connproof.redact import ENCODINGS, Policy, proof

PATH = Path("contacts.json")
DOCUMENTED = Provenance("documented", "the provider's reference", written_at="2026-11-20")
JSON = ("content-type", "application/json")
FORM = ("content-type", "application/x-www-form-urlencoded")
CANARY = "canary-Tok3n/9+x=y"

SMALL = """\
{
  "format": "connproof-recording/1",
  "provenance": {
    "kind": "documented",
    "written_at": "2026-11-20",
    "source": "the référence"
  },
  "lanes": [
    {
      "id": "contacts.list",
      "order": "strict",
      "exchanges": [
        {
          "id": "contacts.list/1",
          "request": {
            "method": "GET",
            "url": "https://api.corp.com/contacts",
            "query": [
              ["limit", "100"],
              ["q", "a b/ü"]
            ],
            "headers": [
              ["authorization", "Bearer {{secret:access_token#1}}"]
            ]
          },
          "response": {
            "status": 200,
            "headers": [
              ["content-type", "application/json"]
            ],
            "json": {
              "results": [
                {
                  "id": 1,
                  "tags": [
                    "a",
                    "b"
                  ]
                }
              ],
              "next": null
            }
          }
        }
      ]
    }
  ]
}
"""


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "contacts.json"
    path.write_text(text, encoding="utf-8")
    return path


def changed(**lane: Any) -> bytes:
    """SMALL with other members in its lane."""
    document = json.loads(SMALL)
    document["lanes"][0] |= lane
    return json.dumps(document, indent=2).encode()


def told(request: Request, response: Response, policy: Policy | None = None) -> Recording:
    lane = RawLane("contacts.list", ((request, response),))
    return assemble(PATH, provenance=DOCUMENTED, lanes=[lane], policy=policy)


def refused(data: bytes) -> RecordingUnfit:
    with pytest.raises(RecordingUnfit) as caught:
        parse(data, PATH)
    return caught.value


GET = Request("GET", "https://api.corp.com/contacts")


def test_load(tmp_path: Path) -> None:
    """A file becomes plain requests and responses, bodies in bytes and the query in the URL."""
    recording = load(written(tmp_path, SMALL))

    (lane,) = recording.lanes
    (exchange,) = lane.exchanges
    assert Provenance("documented", "the référence", written_at="2026-11-20") == recording.provenance
    assert ("contacts.list", "contacts.list", None, "strict", None) == (
        lane.id,
        lane.operation,
        lane.scenario,
        lane.order,
        lane.call,
    )
    assert (
        Request(
            "GET",
            "https://api.corp.com/contacts?limit=100&q=a%20b%2F%C3%BC",
            (("authorization", "Bearer {{secret:access_token#1}}"),),
        )
        == exchange.request
    )
    assert Response(200, (JSON,), b'{"results":[{"id":1,"tags":["a","b"]}],"next":null}') == exchange.response
    assert ("contacts.list/1", False, "/lanes/0/exchanges/0") == (exchange.id, exchange.repeats, exchange.pointer)
    assert 13 == recording.source.line(exchange.pointer)


def test_scenario_and_call() -> None:
    """A lane can say which case it shows and how the operation is called."""
    call = {"params": {"id": "7"}, "page_size": 10, "limit": 25, "body": None}
    (lane,) = parse(changed(id="contacts.list#throttled", order="unordered", call=call), PATH).lanes

    assert ("contacts.list", "throttled", "unordered") == (lane.operation, lane.scenario, lane.order)
    assert Call({"id": "7"}, 10, 25, None) == lane.call
    assert Call() == Call({}, None, None, ABSENT)


def test_call_with_filters() -> None:
    """A lane can say which query parameters its caller gave: one to a line, redacted like those of a request."""
    call = Call(query=(("tag", "new"), ("tag", "old"), ("access_token", CANARY)))
    lane = RawLane("contacts.list", ((GET, Response(204)),), call=call)
    recording = assemble(PATH, provenance=DOCUMENTED, lanes=[lane])

    (clean,) = recording.lanes
    assert Call(query=(("tag", "new"), ("tag", "old"), ("access_token", "{{secret:access_token#1}}"))) == clean.call
    assert clean.call == parse(dump(recording).encode(), PATH).lanes[0].call
    assert '          ["tag", "old"],\n' in dump(recording)


def test_dump_gives_the_same_bytes(tmp_path: Path) -> None:
    """What was read is written again without any difference."""
    assert SMALL == dump(load(written(tmp_path, SMALL)))


def test_one_field_is_one_line() -> None:
    """A reviewer sees a changed field as one changed line."""
    before = dump(told(GET, Response(200, (JSON,), b'{"results":[{"id":1,"a":[1,2]},{"id":2,"a":[1,2]}]}')))
    after = dump(told(GET, Response(200, (JSON,), b'{"results":[{"id":1,"a":[1,2]},{"id":2,"a":[1,3]}]}')))

    pairs = list(zip(before.splitlines(), after.splitlines(), strict=True))
    assert 1 == sum(left != right for left, right in pairs)


@pytest.mark.parametrize(
    ("headers", "body", "member"),
    [
        ((JSON,), b'{"a": 1.10, "b": [1e5, -0, 12345678901234567890]}', "json"),
        ((JSON,), b'"text"', "json"),
        ((JSON,), b"null", "json"),
        ((), b'[{"a": "\\u00fc"}]', "json"),
        ((JSON,), b'{"a": 1, "a": 2}', "text"),
        ((JSON,), b'{"a": NaN}', "text"),
        ((JSON,), b'{"a": 0.12345678901234567890123}', "text"),
        ((JSON,), b'{"a": "\\ud800"}', "text"),
        ((JSON,), b"[" * 300 + b"]" * 300, "text"),
        ((JSON,), b'{"cut": ', "text"),
        ((), b"one\r\ntwo\n\nlast", "text"),
        ((), "<a>ü</a>\n".encode(), "text"),
        ((), b"\xef\xbb\xbf{}", "text"),
        ((), b"\xff\xfe\x00", "base64"),
        ((), b"a\x00b", "base64"),
        ((), b"", ""),
    ],
)
def test_body_form(headers: tuple[tuple[str, str], ...], body: bytes, member: str) -> None:
    """A body is written in the most readable form that loses nothing: JSON, lines, base64."""
    recording = told(GET, Response(200, headers, body))
    document: Any = document_of(recording)

    after = document["lanes"][0]["exchanges"][0]["response"]
    assert [member] == [name for name in ("json", "text", "base64") if name in after] or ("" == member and body == b"")
    (exchange,) = recording.exchanges()
    if member == "json":
        assert json.loads(body) == json.loads(exchange.response.body)
    else:
        assert body == exchange.response.body
    assert dump(recording) == dump(parse(dump(recording).encode(), PATH))


def test_form_body() -> None:
    """A form is written as names and values, and sent with the same meaning."""
    (exchange,) = told(Request("POST", GET.url, (FORM,), b"a=1+2&b=&c=%C3%BC%26"), Response(204)).exchanges()

    assert b"a=1+2&b=&c=%C3%BC%26" == exchange.request.body


def test_truncated_anywhere_is_refused() -> None:
    """A file that was cut at any byte is never read as a shorter recording, and says where it ends."""
    data = SMALL.encode()
    said = [str(refused(data[:cut])) for cut in range(len(data) - 1)]

    assert [] == [cut for cut, text in enumerate(said) if f"byte {cut}," not in text and "is empty" not in text]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", "1:1  /  is empty (restore the file, or record it again)"),
        (b'\xef\xbb\xbf{"format": 1}', "byte order mark"),
        (b'{"format": "\xff"}', "1:13  /  byte 0xff is not UTF-8"),
        (b'{"format": 1,\n "format": 2}', "2:2  /format  'format' stands here a second time (first on line 1)"),
        (b'{"format": NaN}', "1:12  /format  NaN is not JSON"),
        (
            b'{"format": "connproof-recording/2"}',
            f'unknown format "connproof-recording/2" (this connproof reads {FORMAT})',
        ),
        (b'{"format": "vcr"}', 'unknown format "vcr"'),
        (b'{"log": {}}', "not a recording"),
        (b"[]", "not a recording"),
        (b'{"format": "connproof-recording/1"}', '"lanes" is missing'),
        (changed(exchanges=[]), "/lanes/0/exchanges  is empty"),
        (changed(ordre="strict"), '/lanes/0/ordre  unknown member "ordre" (did you mean "order"?)'),
        (changed(order="any"), '"any" is not a valid word here'),
        (changed(id="con tacts"), "/lanes/0/id"),
        (SMALL.replace('"documented"', '"recorded"').encode(), '/provenance  "recorded_at" is missing'),
        (SMALL.replace('"documented"', '"imported"').encode(), '/provenance  "origin" is missing'),
        (SMALL.replace('"written_at": "2026-11-20",', "").encode(), '/provenance  "written_at" is missing'),
        (SMALL.replace("2026-11-20", "2026-13-20").encode(), "5:5  /provenance/written_at  2026-13-20 is no date"),
        (SMALL.replace('/contacts"', '/contacts?a=1"').encode(), "/request/url  the value does not match"),
        (SMALL.replace('"status": 200', '"status": 99').encode(), "/response/status  99 is out of range"),
        (SMALL.replace('"authorization"', '"Authorization"').encode(), "/headers/0/0  the value does not match"),
        (SMALL.replace('"status": 200,', '"status": 200, "text": ["a"],').encode(), "not json and text together"),
    ],
)
def test_refused(data: bytes, expected: str) -> None:
    """Each fault is named with its place and with what would be right."""
    assert expected in str(refused(data))


def test_every_problem_at_once() -> None:
    """Somebody who repairs a file by hand sees all that is wrong, with lines."""
    unfit = refused(SMALL.replace('"strict"', '"loose"').replace('"method"', '"verb"').encode())

    assert [
        ("/lanes/0/order", 11),
        ("/lanes/0/exchanges/0/request", 15),
        ("/lanes/0/exchanges/0/request/verb", 16),
    ] == [(problem.pointer, problem.line) for problem in unfit.problems]
    assert isinstance(unfit, ConnproofError) and PATH == unfit.path


def test_names_are_unique() -> None:
    """Two lanes or two exchanges of one name could not be told apart in a message."""
    document = json.loads(SMALL)
    document["lanes"] *= 2
    unfit = refused(json.dumps(document, indent=2).encode())

    assert ["/lanes/1/id", "/lanes/1/exchanges/0/id"] == [problem.pointer for problem in unfit.problems]
    assert "a second lane 'contacts.list' (the first is on line 10)" in str(unfit)


def test_problem_shows_no_credential() -> None:
    """Where a request is wrong, its values are not shown: one may be a credential."""
    unfit = refused(SMALL.replace('contacts",\n', f'contacts?access_token={CANARY}",\n').encode())

    assert CANARY not in str(unfit)


def test_file_that_is_not_there(tmp_path: Path) -> None:
    """A missing file is refused like any other that cannot be read."""
    with pytest.raises(RecordingUnfit, match="cannot be read: No such file"):
        load(tmp_path / "absent.json")


def test_schema_is_a_schema_and_closed() -> None:
    """The published schema is valid, and each object in it says which members it has."""
    schema = shipped("pytest_connproof", "recording").document

    jsonschema.Draft202012Validator.check_schema(schema)
    objects = [schema, *(part for part in schema["$defs"].values() if part.get("type") == "object")]
    assert 7 == len(objects)
    assert [] == [part for part in objects if part["additionalProperties"] is not False]


# Canaries.

JWT = ".".join(
    base64.urlsafe_b64encode(part).decode().rstrip("=") for part in (b'{"alg":"HS256"}', b'{"s":"x"}', b"sign-jwt-77")
)
CANARIES = {
    "header": "can-hdr-0001-Aa",
    "query": "can-qry-0002-Bb/+=",
    "form": "can-frm-0003-Cc/+=",
    "json": 'can-jsn-0004-"Dd\\',
    "basic": "can-bas-0005-Ee",
    "cookie": "can-cke-0006-Ff",
    "token": "can-tok-0007-Gg",
    "presigned": "can0008a1b2c3d4e5f60718293a4b5c6d",
    "multipart": "can-mpt-0009-Hh",
    "packed": "can-pck-0010-Ii",
    "xml": "can-xml-0011-Jj&<",
    "path": "can-pth-0012-Kk",
    "link": "can-lnk-0013-Ll",
    "nested": "can-nst-0014-Mm",
    "binary": "can-bin-0015-Nn",
    "userinfo": "can-usr-0016-Oo",
}
_MULTIPART = (
    '--x\r\nContent-Disposition: form-data; name="client_secret"\r\n\r\n' + CANARIES["multipart"] + "\r\n--x--\r\n"
)
TRAFFIC = (
    (
        Request(
            "POST",
            "https://api.corp.com/token?" + f"client_secret={quote(CANARIES['query'], safe='')}",
            (("authorization", "Basic " + base64.b64encode(f"app:{CANARIES['basic']}".encode()).decode()), FORM),
            f"grant_type=refresh_token&refresh_token={quote(CANARIES['form'], safe='')}".encode(),
        ),
        Response(
            200,
            (JSON, ("set-cookie", f"sid={CANARIES['cookie']}; Path=/"), ("x-debug-token", CANARIES["token"])),
            json.dumps(
                {"access_token": CANARIES["token"], "refresh_token": CANARIES["json"], "id_token": JWT}
            ).encode(),
        ),
    ),
    (
        Request(
            "GET",
            f"https://jo:{CANARIES['userinfo']}@api.corp.com/hooks/{CANARIES['path']}/x",
            (("authorization", f"Bearer {CANARIES['token']}"), ("cookie", f"sid={CANARIES['cookie']}")),
        ),
        Response(
            200,
            (JSON, ("link", f'<https://api.corp.com/x?api_key={CANARIES["link"]}&page=2>; rel="next"')),
            json.dumps(
                {
                    "file": f"https://s3.corp.com/f?X-Amz-Signature={CANARIES['presigned']}&X-Amz-Date=20261120",
                    "escaped": json.dumps({"a": json.dumps({"password": CANARIES["nested"]})}),
                    "echo": base64.b64encode(f"key={CANARIES['header']}".encode()).decode(),
                    "hex": CANARIES["header"].encode().hex(),
                    "mirror": CANARIES["token"][::-1],
                    "in": base64.urlsafe_b64encode(json.dumps({"t": CANARIES["token"]}).encode()).decode(),
                }
            ).encode(),
        ),
    ),
    (
        Request("POST", GET.url, (("x-api-key", CANARIES["header"]),), _MULTIPART.encode()),
        Response(
            200,
            (),
            gzip.compress(f"a password=x&client_secret={CANARIES['packed']}&b".encode(), mtime=0),
        ),
    ),
    (
        Request("POST", GET.url, (), b"<e><password>can-xml-0011-Jj&amp;&lt;</password></e>"),
        Response(200, (), b"\xff\x00 api_key=" + CANARIES["binary"].encode() + b" \x00"),
    ),
)
KNOWN = ("path",)


def canaried() -> Recording:
    policy = Policy(secrets=tuple(CANARIES[name] for name in KNOWN))
    return assemble(
        PATH,
        provenance=replace(DOCUMENTED, source="taken for jo@corp.com"),
        lanes=[RawLane("contacts.list", TRAFFIC, repeats=frozenset({1}))],
        policy=policy,
    )


@pytest.mark.parametrize("slot", CANARIES)
def test_canary_is_nowhere_in_the_file(tmp_path: Path, slot: str) -> None:
    """A known value in every slot, and none of them in the written file, in any spelling, nor in a packed body."""
    path = tmp_path / "contacts.json"
    save(canaried(), path, CANARIES.values())

    data = path.read_bytes()
    packed = [
        gzip.decompress(e.response.body) for e in load(path).exchanges() if e.response.body.startswith(b"\x1f\x8b")
    ]
    assert 1 == len(packed)
    assert () == proof(data, [CANARIES[slot]]).hits
    assert () == proof(packed[0], [CANARIES[slot]]).hits
    assert CANARIES[slot] not in data.decode()


def test_assembled_recording_says_what_was_done() -> None:
    """The provenance counts the rules and names the spellings that were searched; nothing else was touched."""
    recording = canaried()

    redaction = recording.provenance.redaction
    assert redaction is not None
    assert ENCODINGS == redaction.proved
    assert (1, 1, 2) == tuple(redaction.rules[rule] for rule in ("email", "header", "authorization"))
    assert "taken for person-1@redacted.invalid" == recording.provenance.source
    assert [False, True, False, False] == [exchange.repeats for exchange in recording.exchanges()]
    assert () == unclean(recording)


def test_issued_token_is_the_token_sent() -> None:
    """After redaction it can still be seen that a token was used after it had been issued."""
    first, second, *_ = canaried().exchanges()

    assert f"Bearer {json.loads(first.response.body)['access_token']}" == second.request.header("authorization")


def test_next_link_leads_to_the_recorded_request() -> None:
    """A placeholder inside a URL is percent-encoded, so that the URL still has all its parts."""
    _, second, *_ = canaried().exchanges()

    link = second.response.header("link")
    assert link is not None and re.fullmatch(r"<https://api\.corp\.com/x\?api_key=%7B%7B[^<>#&]*%7D%7D&page=2>.*", link)


def test_unclean_names_the_line_and_the_rule(tmp_path: Path) -> None:
    """A file edited by hand shows where it holds what the redactor would replace, and not what."""
    text = SMALL.replace("{{secret:access_token#1}}", CANARY).replace('"next": null', '"next": "jo@corp.com"')
    problems = unclean(load(written(tmp_path, text)))

    assert [
        ("/lanes/0/exchanges/0/request/headers/0/1", 23, "not redacted: authorization"),
        ("/lanes/0/exchanges/0/response/json/next", 41, "not redacted: email"),
    ] == [(problem.pointer, problem.line, problem.message) for problem in problems]
    assert CANARY not in str(problems)


def test_unclean_knows_what_a_config_adds(tmp_path: Path) -> None:
    """A header that the config is responsible for may stand in the file."""
    recording = load(written(tmp_path, SMALL.replace('"authorization", "Bearer', '"x-tenant", "a')))

    assert ["a header that is not on the allow-list"] == [problem.message for problem in unclean(recording)]
    assert () == unclean(recording, Policy(headers=("x-tenant",)))


# Saving.


def test_save_and_load(tmp_path: Path) -> None:
    """What is saved is what dump says, in a file that others may read, with nothing beside it."""
    path = tmp_path / "contacts.json"
    recording = parse(SMALL.encode(), PATH)
    save(recording, path)
    save(recording, path)

    assert SMALL == path.read_text(encoding="utf-8")
    assert [path] == list(tmp_path.iterdir())
    assert recording.lanes == load(path).lanes


@pytest.mark.parametrize("spelt", [CANARY, base64.b64encode(b"u:" + CANARY.encode()).decode(), quote(CANARY, safe="")])
def test_secret_in_the_written_file_is_refused(tmp_path: Path, spelt: str) -> None:
    """A recording that still shows a secret does not come to stand; the message does not repeat it."""
    path = tmp_path / "contacts.json"
    recording = parse(SMALL.replace('"next": null', f'"next": "{spelt}"').encode(), PATH)

    with pytest.raises(RecordingUnfit, match="secret number 2 is still there") as caught:
        save(recording, path, ["another-secret", CANARY])
    assert [] == list(tmp_path.iterdir())
    assert CANARY not in str(caught.value) and spelt not in str(caught.value)
    assert 41 == caught.value.problems[0].line


def test_secret_in_a_packed_body_is_refused(tmp_path: Path) -> None:
    """The proof looks into bodies that the file shows only packed."""
    recording = parse(SMALL.encode(), PATH)
    (lane,) = recording.lanes
    (exchange,) = lane.exchanges
    packed = replace(exchange, response=Response(200, (), gzip.compress(CANARY.encode() * 9)))

    with pytest.raises(RecordingUnfit, match="secret number 1 is in the body"):
        save(replace(recording, lanes=(replace(lane, exchanges=(packed,)),)), tmp_path / "contacts.json", [CANARY])
    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize("call", ["fsync", "replace"])
@pytest.mark.parametrize("before", [None, "the recording before"])
def test_interrupted_save_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, before: str | None
) -> None:
    """Ctrl-C during a save leaves the folder as it was: no half file, and the old one whole."""
    path = tmp_path / "contacts.json"
    if before:
        path.write_text(before, encoding="utf-8")

    def interrupt(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, call, interrupt)
    with pytest.raises(KeyboardInterrupt):
        save(parse(SMALL.encode(), PATH), path)

    assert ([path] if before else []) == list(tmp_path.iterdir())
    assert before is None or before == path.read_text(encoding="utf-8")


def test_query_that_is_not_text_is_refused() -> None:
    """What the format cannot say is refused, not written as something else."""
    with pytest.raises(RecordingUnfit, match=r"contacts.list/1: the request's query is not UTF-8"):
        told(Request("GET", f"{GET.url}?a=%FF"), Response(200))


TEXTS = st.text(st.characters(codec="utf-8"), max_size=12)
BODIES = st.one_of(
    st.binary(max_size=30),
    TEXTS.map(str.encode),
    st.recursive(
        TEXTS | st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
        max_leaves=8,
    ).map(lambda value: json.dumps(value).encode()),
)


@given(
    st.lists(st.tuples(TEXTS, TEXTS), max_size=3),
    BODIES,
    BODIES,
    st.sampled_from([(), (JSON,), (FORM,), (("content-type", "text/plain"),)]),
)
@settings(max_examples=100, deadline=None)
def test_any_traffic_comes_back(
    query: list[tuple[str, str]], request_body: bytes, response_body: bytes, headers: tuple[tuple[str, str], ...]
) -> None:
    """Whatever passes can be recorded, redacted, written, read and written again without a difference."""
    url = GET.url + ("?" + "&".join(f"{quote(k, safe='')}={quote(v, safe='')}" for k, v in query) if query else "")
    recording = told(Request("POST", url, headers, request_body or None), Response(200, headers, response_body))

    text = dump(recording)
    assert text == dump(parse(text.encode(), PATH))
    assert () == unclean(recording)


def test_whole_numbers_are_integers_however_they_are_written() -> None:
    """JSON Schema calls 200.0 an integer; a status that is read is one."""
    written = SMALL.replace('"status": 200', '"status": 200.0').replace(
        '"order": "strict",', '"order": "strict",\n      "call": {"page_size": 1e2, "limit": 5.0},'
    )

    lane = parse(written.encode(), PATH).lanes[0]

    assert lane.call is not None
    numbers = (lane.exchanges[0].response.status, lane.call.page_size, lane.call.limit)
    assert [(200, int), (100, int), (5, int)] == [(number, type(number)) for number in numbers]
