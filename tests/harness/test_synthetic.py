"""What people wrote does not stay in live traffic, and what a mapping needs of it does."""

from __future__ import annotations

import base64
import gzip
import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connproof.config import parse
from connproof.model import Request, Response
from pytest_connproof.recording import Provenance, RawLane, Recording, assemble, document_of, dump
from pytest_connproof.redact import Policy, policy_for, synthesised

JSON = ("content-type", "application/json")
LIVE = Provenance("imported", "a test", recorder="connproof", origin="a tape", written_at="2026-11-23")
URL = "https://api.corp.example/people"


def taken(*bodies: bytes, policy: Policy | None = None, request: Request | None = None) -> Recording:
    """A recording of live traffic with these answers."""
    sent = request or Request("GET", URL, ())
    pairs = tuple((sent, Response(200, (JSON,), body)) for body in bodies)
    return assemble(Path("people.json"), provenance=LIVE, lanes=[RawLane("people.list", pairs)], policy=policy)


def made(value: Any, policy: Policy | None = None) -> Any:
    """What becomes of one JSON body."""
    (exchange,) = taken(json.dumps(value).encode(), policy=policy).exchanges()
    return json.loads(exchange.response.body)


PERSON = {
    "id": "00Q5g000004xYzAEAU",
    "first_name": "Ada",
    "last_name": "Lovelace",
    "full_name": "Ada LOVELACE",
    "nick": "countess-of-l",
    "birth_date": "1815-12-10",
    "address": {"street": "12 St James's Square", "city": "London", "country_code": "GB", "postal_code": "SW1Y 4JH"},
    "phone": "+44 20 7946 0958",
    "email": "ada@lovelace.com",
    "notes": "Met Ada at the café;\nher number is +44 20 7946 0958, she knows Mr. Babbage.",
    "employer": "Analytical Engines Ltd",
    "tags": ["poet", "countess"],
    "profile": "https://social.example/in/ada-lovelace",
    "custom": {"favourite horse": "Lightning"},
}
WRITTEN = (
    *("Ada", "Lovelace", "LOVELACE", "countess", "1815", "James", "Square", "London", "SW1Y", "7946", "ada@", "Met"),
    *("café", "number is", "Babbage", "Analytical", "Engines", "poet", "social.example", "Lightning", "St J"),
)


@pytest.mark.parametrize("form", ["json", "text", "xml", "gzip", "form"])
def test_S37_no_name_and_no_word_of_a_person_stays(form: str) -> None:
    """In whatever form a body holds them; what is left of it is its shape."""
    xml = (
        "<list><p born='10.12.1815'>"
        + "".join(f"<{k}>{v}</{k}>" for k, v in PERSON.items() if k != "custom")
        + "</p></list>"
    )
    sent = Request(
        "POST", URL, (("content-type", "application/x-www-form-urlencoded"),), b"name=Ada+Lovelace&city=London"
    )
    text = {
        "json": lambda: dump(taken(json.dumps(PERSON).encode())),
        "text": lambda: dump(taken((json.dumps(PERSON)[:-1] + ', "many": 0.10000000000000000555}').encode())),
        "xml": lambda: dump(taken(xml.encode())),
        "gzip": lambda: unpacked(taken(gzip.compress(json.dumps(PERSON).encode()))),
        "form": lambda: dump(taken(b"{}", request=sent)),
    }[form]()

    assert [] == [word for word in WRITTEN if re.search(rf"(?<!\w){re.escape(word)}", text)]


def unpacked(recording: Recording) -> str:
    (exchange,) = recording.exchanges()
    return gzip.decompress(exchange.response.body).decode()


def test_S37_what_a_mapping_reads_keeps_its_form() -> None:
    """A full name is its parts, a capital is one, identifiers and codes are what they were, times are times."""
    person = made(PERSON)

    assert f"{person['first_name']} {person['last_name'].upper()}" == person["full_name"]
    assert (3, 8) == (len(person["first_name"]), len(person["last_name"]))
    assert person["first_name"].istitle()
    assert (PERSON["id"], "GB") == (person["id"], person["address"]["country_code"])
    assert date.fromisoformat(person["birth_date"])
    assert re.fullmatch(r"\d{2} \w{2} \w{5}'\w \w{6}", person["address"]["street"])
    assert re.fullmatch(r"https://\w{6}\.\w{7}/\w{2}/\w{3}-\w{8}", person["profile"])
    assert ("person-1@redacted.invalid", "+15550000001") == (person["email"], person["phone"])
    assert person["phone"] in person["notes"]
    assert f"\n{person['notes'].split(chr(10))[1]}" in person["notes"]
    assert list(PERSON) == list(person)
    assert ["favourite horse"] == list(person["custom"])


@pytest.mark.parametrize(
    "value",
    [
        *(
            "",
            " ",
            "0",
            "-12.50",
            "1,234",
            "7e3",
            "12%",
            "true",
            "F",
            "null",
            "2026-01-02",
            "2026-01-02T03:04:05.678+0000",
        ),
        *("/Date(1518685950940+0000)/", "Fri, 02 Jan 2026 03:04:05 GMT", "1/2/2026 3:04 pm", "03:04", "OPS-17"),
        *("4e53b4c0-fbb9-4b22-aef9-1593909abe08", "c58d9088feb1ea79abfd0eda5bae868e", "MDQ6VXNlcjU0NTk3Mw=="),
        *(0, -1.5, 10**20, True, None, [], {}, "person-7@redacted.invalid", "+15550000007"),
    ],
)
def test_S37_what_says_nothing_of_a_person_stays(value: Any) -> None:
    """Numbers, truth values, times, identifiers: under any name, in their own class."""
    assert repr({"anything": value}) == repr(made({"anything": value}))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(
            ("status", "open"),
            ("type", "Contact"),
            ("currencyCode", "EUR"),
            ("language", "Haskell"),
            ("scope", "a.read b:write"),
        ),
        *(
            ("id", "ada"),
            ("ownerIds", "abc"),
            ("nextPage", "c-2"),
            ("cursor", "abc"),
            ("key", "a7"),
            ("errorCode", "NOT_FOUND"),
        ),
    ],
)
def test_S37_a_word_of_a_vocabulary_stays_under_its_name(name: str, value: str) -> None:
    """As one word: a sentence under the same name does not."""
    assert value == made({name: value})[name]
    assert "Ada Lovelace" != made({name: "Ada Lovelace"})[name]


@pytest.mark.parametrize("name", ["name", "page_title", "login", "description", "owner", "anything", "value"])
def test_S37_a_word_under_any_other_name_does_not(name: str) -> None:
    """What is unknown is replaced."""
    assert "Lovelace" != made({name: "Lovelace"})[name]


def test_S37_a_pair_of_a_name_and_a_value_is_judged_by_its_name() -> None:
    """As custom fields are often told."""
    pairs = [{"name": "status", "value": "open"}, {"name": "nickname", "value": "open"}]
    one, other = made(pairs)

    assert ("open", False) == (one["value"], "open" == other["value"])


def test_S37_what_the_config_looks_for_stays() -> None:
    """Words that it compares with, also in expressions, and what its patterns find in a sentence."""
    config = parse(
        json.dumps(
            {
                "base_url": "https://api.corp.example",
                "auth": {"type": "none"},
                "resources": {"people": {"list": {"method": "GET", "path": "/people", "response_path": "items"}}},
                "errors": [{"when": {"text": "(?i)call limit of \\w+ reached"}, "means": "throttled"}],
                "unified": {"crm.person": {"resource": "people", "fields": {"x": "tier = 'Gold card' ? 1 : 2"}}},
            }
        ).encode(),
        folder="corp",
    )
    person = made({"tier": "Gold card", "note": "Call limit of ACME reached by Ada", "kept": "Ada"}, policy_for(config))

    assert "Gold card" == person["tier"]
    assert re.fullmatch(r"Call limit of ACME reached \w{2} \w{3}", person["note"])
    assert "Ada" != person["kept"]


def test_S37_a_list_of_members_can_be_kept() -> None:
    """By name, however that is written, where somebody has looked."""
    assert {"productName": "Roof"} == made({"productName": "Roof"}, Policy(keep=("product_name",)))


def test_S37_urls_that_lead_on_stay_and_others_do_not() -> None:
    """The next page's, and what was asked for; not the one of a person's own page."""
    value = {
        "next": f"{URL}?after=c2",
        "self": URL,
        "nextRecordsUrl": "/people/01g-2000",
        "html_url": "https://api.corp.example/users/ada",
    }
    found = made(value)

    assert {name: value[name] for name in ("next", "self", "nextRecordsUrl")} == {
        name: found[name] for name in ("next", "self", "nextRecordsUrl")
    }
    assert re.fullmatch(r"https://api\.corp\.example/\w{5}/\w{3}", found["html_url"])
    assert "ada" not in found["html_url"]


def test_S37_the_same_word_is_the_same_and_others_are_others() -> None:
    """Across answers, so that records that belonged together still do; also where words run short."""
    letters = [chr(ord("a") + n) + end for n in range(26) for end in ("", "b", "cd")]
    first, second = (
        json.loads(e.response.body)
        for e in taken(json.dumps(letters).encode(), json.dumps(letters[::-1]).encode()).exchanges()
    )

    assert first == second[::-1]
    assert len(letters) == len(set(first))


def test_S37_what_was_written_by_hand_stays() -> None:
    """A documented or invented recording has nobody's words: it is redacted, and no more."""
    pairs = ((Request("GET", URL, ()), Response(200, (JSON,), b'{"name": "Ada"}')),)
    told = Provenance("documented", "the reference", written_at="2026-11-23")
    recording = assemble(Path("people.json"), provenance=told, lanes=[RawLane("people.list", pairs)])

    assert [{"name": "Ada"}] == [json.loads(e.response.body) for e in recording.exchanges()]


def test_S37_a_recording_says_how_much_was_made_up() -> None:
    """Among what redaction did."""
    redaction = taken(json.dumps(PERSON).encode()).provenance.redaction

    assert redaction is not None
    assert {"email": 1, "made up": 14, "phone": 2} == dict(redaction.rules)


_TEXTS = st.text(max_size=12) | st.sampled_from(
    ["Ada Lovelace", "x@y.example", "a-1", "{", '{"a": "b c"}', "<b>c d</b>"]
)
_VALUES = st.recursive(
    _TEXTS | st.integers() | st.booleans() | st.none(),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["name", "type", "value", "x y"]), inner)
    ),
    max_leaves=12,
)


@given(_VALUES)
def test_S37_making_up_a_second_time_changes_nothing(value: Any) -> None:
    """Words come in the order of those that they stand for, so that the same are given out again."""
    exchange = {"request": {"method": "GET", "url": URL}, "response": {"status": 200, "json": value}}
    once, _ = synthesised({"lanes": [{"exchanges": [exchange]}]}, Policy())
    again, changed = synthesised(once, Policy())

    assert (json.dumps(once), 0) == (json.dumps(again), changed)


def test_S37_a_body_that_is_no_text_stays_as_it_is() -> None:
    """An image has no words: whoever records attachments looks at them."""
    (exchange,) = taken(b"\x89PNG\xff Ada").exchanges()
    assert b"\x89PNG\xff Ada" == exchange.response.body
    assert base64.b64encode(exchange.response.body).decode() in json.dumps(document_of(taken(b"\x89PNG\xff Ada")))


# Grants.

TOKEN = "live-t0ken-Q7x9Zr4vNp2LsW8u"
GRANT = {
    "access_token": TOKEN,
    "token_type": "Bearer",
    "expires_in": 3600,
    "expires_at": "2026-11-23T18:40:17.123Z",
    "refresh_expires": 1795459217,
    "issued_at": "1795455617123",
    "scope": "contacts.read",
}


def test_S39_no_part_of_a_token_and_no_end_of_one_stays() -> None:
    """A token is replaced as a whole, neither its first nor its last letters stay; when it ends is made up."""
    cookie = ("set-cookie", f"sid={TOKEN}; Expires=Mon, 23 Nov 2026 18:40:17 GMT; Secure")
    pairs = (
        (
            Request("POST", URL, (("authorization", f"Bearer {TOKEN}"),)),
            Response(200, (JSON, cookie), json.dumps(GRANT).encode()),
        ),
    )
    recording = assemble(Path("people.json"), provenance=LIVE, lanes=[RawLane("people.list", pairs)])
    (exchange,) = recording.exchanges()
    text = dump(recording)

    assert [] == [TOKEN[at : at + 4] for at in range(len(TOKEN) - 3) if TOKEN[at : at + 4] in text]
    assert [] == [end for end in ("2026-11-23T18", "18:40:17", "17954") if end in text]
    assert {
        **GRANT,
        "access_token": "{{secret:access_token#1}}",
        "expires_at": "2100-01-01T00:00:00Z",
        "refresh_expires": 4102444800,
        "issued_at": "4102444800000",
    } == json.loads(exchange.response.body)


def test_S39_the_end_of_what_is_no_grant_is_a_fact_of_a_record() -> None:
    """A contract that ends has no token beside it."""
    record = {"name": "", "expires_at": "2026-11-23", "expiry": 1795459217}

    assert record == made(record)
