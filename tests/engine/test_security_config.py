"""Bad configs and bad variables: refused when they are loaded, with the place where they are wrong."""

from __future__ import annotations

import ipaddress
import json
from typing import Any

import pytest

from connproof.addresses import is_address, is_local_name, special_block
from connproof.clock import SystemClock
from connproof.config import parse
from connproof.errors import CallWrong, ConfigWrong, Problem
from connproof.links import filled
from connproof.mapping import compile_mapping
from connproof.model import Account, Connector
from connproof.run import Call, Engine
from scripted import connector, items, read, scripted

ADDRESSES = [
    "127.0.0.1",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",
    "8.8.8.8",
    "2130706433",
    "0x7f000001",
    "0x7f.1",
    "127.1",
    "0177.0.0.1",
    "127.0.0.0x1",
    "127.0.0.1.",
    "anything.0x",
    "[::1]",
    "[::]",
    "[fc00::1]",
    "[fe80::1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[64:ff9b::a9fe:a9fe]",
    "[2002:7f00:1::]",
    "[2606:4700::1]",
]


def document(**words: Any) -> dict[str, Any]:
    said: dict[str, Any] = {
        "base_url": "https://api.example.com",
        "auth": {"type": "none"},
        "resources": {"rows": {"list": {"method": "GET", "path": "/rows"}}},
    }
    return said | words


def problems(said: object, *, allow_loopback: bool = False) -> tuple[Problem, ...]:
    """What is wrong with a document, or with the bytes of one."""
    data = said if isinstance(said, bytes) else json.dumps(said, indent=1).encode()
    with pytest.raises(ConfigWrong) as refused:
        parse(data, folder="sample", allow_loopback=allow_loopback)
    return refused.value.problems


# Addresses.


@pytest.mark.parametrize("url", ["http://api.example.com", "HTTP://api.example.com", "http://api.example.com:443"])
@pytest.mark.parametrize("word", ["base_url", "allowed_origins"])
def test_S01_plain_http_is_refused(url: str, word: str) -> None:
    """Credentials are never sent in the clear, not even where loopback is allowed."""
    for allow_loopback in (False, True):
        found = problems(document(**{word: [url] if word == "allowed_origins" else url}), allow_loopback=allow_loopback)

        assert "is not https" in found[0].message
        assert found[0].pointer.startswith(f"/{word}")
        assert found[0].line


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost", "[::1]:9"])
def test_S01_loopback_is_for_who_asks(host: str) -> None:
    """The one exception needs its flag."""
    said = document(base_url=f"http://{host}")

    assert f"http://{host}" == parse(json.dumps(said).encode(), folder="sample", allow_loopback=True).base_url
    assert "is not https" in problems(said)[0].message


@pytest.mark.parametrize("host", ADDRESSES)
@pytest.mark.parametrize("place", ["base_url", "allowed_origins"])
def test_S02_host_that_is_an_address_is_refused(host: str, place: str) -> None:
    """In whatever notation: an API has a name."""
    said = document(**{place: f"https://{host}" if place == "base_url" else [f"https://{host}"]})

    found = problems(said)

    assert place in found[0].pointer
    assert "is an address" in found[0].message


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST.", "api.localhost"])
def test_S02_name_of_this_machine_is_refused(host: str) -> None:
    """It needs no resolver to know where these lead."""
    assert "this machine's own name" in problems(document(base_url=f"https://{host}"))[0].message


@pytest.mark.parametrize("host", ["api.example.com", "a1.example", "1.example", "0x7f.example", "x2130706433"])
def test_S02_name_is_no_address(host: str) -> None:
    """Digits elsewhere than at the end of a host make no address."""
    assert not is_address(host)
    assert not is_local_name(host)


@pytest.mark.parametrize(
    "url",
    [
        "https://user@api.example.com",
        "https://user:hidden@api.example.com",
        "https://api.example.com\\@evil.example",
        "https://api.example.com/#x",
        "https://api.example.com/\x01",
        "https://api.exa\tmple.com",
        "\thttps://api.example.com",
        "https://api.example.com\n",
        "https://\u0430pi.example.com",
        "https://\u24d4vil.example",
        "https://api\u3002example.com",
        "https://api.example.com:0",
        "https://api.example.com:99999",
    ],
)
def test_S04_base_url_that_parsers_read_differently_is_refused(url: str) -> None:
    """One problem, at its line, without the password."""
    found = problems(document(base_url=url))

    assert [("/base_url", 2)] == [(problem.pointer, problem.line) for problem in found]
    assert "hidden" not in str(found[0])


# Variables.


def tenant(url: str, pattern: str) -> Connector:
    return connector(base_url=url, variables={"host": {"pattern": pattern}})


@pytest.mark.parametrize(
    "value", ["evil.com/", "evil.com#", "evil.com?", "a@evil.com", "x.evil.com\n", "..", "", "a\\b", "a:1", "\u0430"]
)
def test_S05_value_that_leads_elsewhere_is_refused(value: str) -> None:
    """The pattern is held against the whole value; nothing is sent."""
    provider = scripted()

    with pytest.raises(CallWrong, match="does not match its pattern"):
        Engine(tenant("https://{host}.example/v1", "[a-z0-9-]+"), provider, account=Account(variables={"host": value}))

    assert [] == provider.requests


@pytest.mark.parametrize("pattern", [".*", "[^.]+", "[a-z/]+", "[a-z@]+", "[a-z#]+", r"[a-z?]+", r"[a-z\\]+", r"\w+\n"])
def test_S05_pattern_that_lets_it_through_is_refused(pattern: str) -> None:
    """At load: the author of the config is told, not the customer."""
    said = document(base_url="https://{host}.example.com", variables={"host": {"pattern": pattern}})

    assert ["/variables/host/pattern"] == [problem.pointer for problem in problems(said)]


@pytest.mark.parametrize(
    ("template", "value"),
    [
        ("https://{x}.example", "evil.com/x"),
        ("https://{x}", "evil.com/x.my.example"),
        ("https://{x}", "evil.com?x.my.example"),
        ("https://{x}", "a@evil.com"),
        ("https://{x}:8443", "evil.com:1"),
        ("{x}/v1", "https://evil.com/x.my.example"),
        ("{x}/v1", "https://x.my.example@evil.com"),
        ("{x}/v1", "http:evil"),
        ("{x}", "//evil.com"),
        ("https://a.example/{x}", "../admin"),
        ("https://a.example/{x}", "b/../../admin"),
        ("https://a.example/{x}", "."),
        ("https://a.example/{x}", "%2e%2e"),
        ("https://a.example/{x}", "b?c"),
        ("https://a.example/{x}", "b#c"),
    ],
)
def test_S05_value_stays_in_its_place_whatever_its_pattern(template: str, value: str) -> None:
    """A pattern such as `.+[.]my[.]example` can let through what the check at load does not think of."""
    with pytest.raises(ValueError, match="would reach beyond its place"):
        filled(template, {"x": value})


@pytest.mark.parametrize(
    ("template", "value", "url"),
    [
        ("https://{x}.example/v1", "acme-1", "https://acme-1.example/v1"),
        ("{x}/services", "https://acme.my.example", "https://acme.my.example/services"),
        ("https://a.example/{x}/v1", "sites/b", "https://a.example/sites/b/v1"),
        ("https://a.example", "unused", "https://a.example"),
    ],
)
def test_S05_value_in_its_place_is_filled_in(template: str, value: str, url: str) -> None:
    """What is meant to work does."""
    assert url == filled(template, {"x": value})


@pytest.mark.parametrize(
    "value",
    ["https://evil.example", "https://acme.my.example.evil.example", "http://acme.my.example", "acme.my.example"],
)
def test_S11_dynamic_base_url_must_match_its_pattern(value: str) -> None:
    """An instance's URL, wherever it comes from, is held against the declared suffix."""
    config = connector(base_url="{instance}", variables={"instance": {"pattern": r"https://[a-z0-9-]+\.my\.example"}})
    provider = scripted(items(1))

    with pytest.raises(CallWrong, match="does not match its pattern"):
        Engine(config, provider, account=Account(variables={"instance": value}))

    read(config, provider, account=Account(variables={"instance": "https://acme.my.example"}))
    assert ["https://acme.my.example/rows"] == [request.url for request in provider.requests]


@pytest.mark.parametrize("pattern", [".*", "https://.*", r"https?://[a-z.]+"])
def test_S11_pattern_that_pins_no_suffix_is_refused(pattern: str) -> None:
    """A URL that may be any is none that can be trusted with a token."""
    said = document(base_url="{instance}", variables={"instance": {"pattern": pattern}})

    assert ["/variables/instance/pattern"] == [problem.pointer for problem in problems(said)]


# Headers and secrets.


@pytest.mark.parametrize(
    "name",
    [
        "Host",
        "content-length",
        "Transfer-Encoding",
        "Connection",
        "Cookie",
        "Proxy-Authorization",
        "proxy-connection",
        ":authority",
        "X A",
        "X:A",
        "X\r\nA",
        "",
    ],
)
@pytest.mark.parametrize("where", ["connector", "operation", "api key"])
def test_S14_header_of_the_framing_is_refused(name: str, where: str) -> None:
    """A config that names one could smuggle a request."""
    said = document()
    if where == "connector":
        said["headers"] = {name: "1"}
    elif where == "operation":
        said["resources"]["rows"]["list"]["headers"] = {name: "1"}
    else:
        said["auth"] = {"type": "api_key", "in": "header", "name": name}

    pointer = {"connector": "/headers", "operation": "/resources/rows/list/headers", "api key": "/auth/name"}[where]
    assert all(problem.pointer.startswith(pointer) and problem.line for problem in problems(said))


@pytest.mark.parametrize(
    "words",
    [
        {"base_url": "https://api.example.com/{key}"},
        {"query": {"token": "{key}"}},
        {"headers": {"X-Log-Label": "{key}"}},
        {"resources": {"rows": {"list": {"method": "GET", "path": "/rows/{key}"}}}},
        {"resources": {"rows": {"find": {"method": "POST", "path": "/rows", "body": {"token": "{key}"}}}}},
    ],
    ids=["base path", "query", "header", "path", "body"],
)
def test_S15_secret_variable_outside_auth_is_refused(words: dict[str, Any]) -> None:
    """A path is logged by every machine on the way."""
    said = document(variables={"key": {"pattern": "[a-z0-9]+", "secret": True}}, **words)

    found = problems(said)

    assert ["/variables/key/secret"] == [problem.pointer for problem in found]
    assert "auth alone" in found[0].message


@pytest.mark.parametrize("name", ["Authorization", "authorization", "Cookie"])
def test_S15_credential_header_in_a_config_is_refused(name: str) -> None:
    """A config is shared and reviewed; a credential in it is everybody's."""
    assert [f"/headers/{name}"] == [problem.pointer for problem in problems(document(headers={name: "hidden"}))]


def test_S15_credential_is_filled_in_nowhere_else() -> None:
    """Braces with the name of a credential are a parameter that nobody gave."""
    config = connector(None, {"path": "/{access_token}", "headers": {"X-A": "{access_token}"}}, auth={"type": "bearer"})
    account = Account(credentials={"access_token": "t0p-s3cret"})
    provider = scripted(items())

    with pytest.raises(CallWrong, match='needs the parameter "access_token"'):
        read(config, provider, account=account)
    read(config, provider, Call(params={"access_token": "own"}), account=account)

    assert ["/own"] == provider.asked
    assert "Bearer t0p-s3cret" == provider.requests[0].header("authorization")


# Documents.


@pytest.mark.parametrize("key", ["base_url", "auth", "resources"])
def test_S24_duplicate_key_is_refused(key: str) -> None:
    """Which of the two counts is nobody's guess."""
    text = json.dumps(document(), indent=1)
    line = text[: text.index("\n}")] + f',\n "{key}": null\n}}'

    (found,) = problems(line.encode())

    assert (f"/{key}", line.count("\n")) == (found.pointer, found.line)
    assert "a second time" in found.message


HOSTILE_JSON = {
    "NaN": b'{"title": NaN}',
    "Infinity": b'{"title": Infinity}',
    "minus Infinity": b'{"title": -Infinity}',
    "1e999": b'{"title": 1e999}',
    "5,000 digits": b'{"title": ' + b"9" * 5000 + b"}",
    "lone surrogate": b'{"title": "\\ud800"}',
    "lone surrogate in a name": b'{"\\udc00": 1}',
    "byte order mark": b"\xef\xbb\xbf{}",
    "UTF-16": json.dumps({"title": "x"}).encode("utf-16"),
    "UTF-16 without a mark": json.dumps({"title": "x"}).encode("utf-16-le"),
    "Latin-1": '{"title": "é"}'.encode("latin-1"),
    "100,000 brackets": b"[" * 100_000,
    "100,000 objects": b'{"a":' * 100_000,
    "100,000 brackets closed": b"[" * 100_000 + b"]" * 100_000,
}


@pytest.mark.parametrize("name", HOSTILE_JSON)
def test_S25_json_that_readers_disagree_on_is_refused(name: str) -> None:
    """With line and column, and without a crash."""
    found = problems(HOSTILE_JSON[name])

    assert (1, True) == (found[0].line, found[0].column > 0)
    assert all(len(str(problem)) < 500 for problem in found)


@pytest.mark.parametrize(
    "text",
    [
        "base_url: https://api.example.com\n",
        "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\n",
        '!!python/object/apply:os.system ["true"]\n',
        "--- {}\n",
        "<?xml version='1.0'?><connector/>",
        "base_url = 'https://api.example.com'\n",
    ],
)
def test_S26_config_that_is_no_json_is_refused(text: str) -> None:
    """No anchor is expanded and no tag is looked at."""
    (found,) = problems(text.encode())

    assert (1, 1) == (found.line, found.column)
    assert "expected a value" in found.message


# Expressions.


def compiled(expression: str) -> None:
    config = connector(unified={"crm.contact": {"resource": "rows", "fields": {"name": expression}}})
    compile_mapping(config.unified["crm.contact"], schema=None, clock=SystemClock(), bindings={})


@pytest.mark.parametrize(
    "expression",
    [
        "a" * 1_000_000,
        "a." * 500_000 + "a",
        '"' + "x" * 1_000_000 + '"',
        "(" * 3000 + "1" + ")" * 3000,
        "[" * 3000 + "]" * 3000,
        "$f(" * 3000 + ")" * 3000,
        "-" * 3000 + "1",
        "a[" * 3000 + "0" + "]" * 3000,
        "1+" * 9_000 + "1",
        "a ? " * 3000 + "b",
    ],
    ids=["name", "path", "string", "parentheses", "arrays", "calls", "signs", "predicates", "sum", "conditions"],
)
def test_S20_expression_without_measure_is_refused(expression: str) -> None:
    """Before it is evaluated, with its place, and without the expression in the message."""
    with pytest.raises(ConfigWrong) as refused:
        compiled(expression)

    (found,) = refused.value.problems
    assert "/unified/crm.contact/fields/name" == found.pointer
    assert found.line > 1
    assert len(str(found)) < 500


# The table of addresses.


@pytest.mark.parametrize(
    ("address", "block"),
    [
        ("127.8.9.1", "127.0.0.0/8"),
        ("10.255.255.255", "10.0.0.0/8"),
        ("100.64.0.1", "100.64.0.0/10"),
        ("100.128.0.1", None),
        ("169.254.169.254", "169.254.0.0/16"),
        ("172.31.255.255", "172.16.0.0/12"),
        ("172.32.0.0", None),
        ("192.168.0.1", "192.168.0.0/16"),
        ("198.51.100.1", "198.51.100.0/24"),
        ("224.0.0.1", "224.0.0.0/4"),
        ("255.255.255.255", "240.0.0.0/4"),
        ("0.0.0.0", "0.0.0.0/8"),
        ("1.1.1.1", None),
        ("::1", "outside 2000::/3"),
        ("::", "outside 2000::/3"),
        ("fc00::1", "outside 2000::/3"),
        ("fd00:ec2::254", "outside 2000::/3"),
        ("fe80::1", "outside 2000::/3"),
        ("fe80::1%eth0", "outside 2000::/3"),
        ("fec0::1", "outside 2000::/3"),
        ("ff0e::1", "outside 2000::/3"),
        ("64:ff9b:1::1", "outside 2000::/3"),
        ("::ffff:127.0.0.1", "127.0.0.0/8"),
        ("::ffff:1.1.1.1", None),
        ("64:ff9b::a9fe:a9fe", "169.254.0.0/16"),
        ("64:ff9b::1.1.1.1", None),
        ("2002:7f00:1::", "2002::/16"),
        ("2001::1", "2001::/23"),
        ("2001:db8::1", "2001:db8::/32"),
        ("2606:4700::1111", None),
    ],
)
def test_S02_special_addresses_are_known(address: str, block: str | None) -> None:
    """Whatever the standard library's version calls global."""
    assert block == special_block(ipaddress.ip_address(address))
