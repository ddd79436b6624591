"""What the audit makes of the object that is called upon: whose `get` it is, and where it has its base address from."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from audited import Repository

pytest.importorskip("tree_sitter_language_pack", reason="the extra [audit] has the grammars")
pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="an audit asks git")

# A method of one's own is called like that of a dictionary, of the environment and of the library's client.
A_GET_OF_ITS_OWN = """\
import os
import httpx

API = os.environ.get("SHOP_URL", "https://api.shopkeep.com")

class Shop:
    def __init__(self):
        self.http = httpx.Client(timeout=9)

    def get(self, path, params=None):
        return self.http.get(f"{API}{path}", params=params).json()

    def orders(self):
        return [order.get("number") for order in self.get("/orders")]

shop = Shop()
print(shop.get("/people"), os.environ.get("SHOP_NAME"))
"""
A_FUNCTION_CALLED_GET = """\
import requests

session = requests.Session()

def call(path):
    return session.get("https://api.shopkeep.com/" + path).json()

def get(kind, number):
    return call(f"{kind.lower()}/{number}")

def name(record):
    return record.get("name", {}).get("first")

def show(number):
    return name(get("Person", number))
"""
AN_IMPORTED_CLASS = """\
from shop_client import Shop

api = Shop()
print(api.get("/orders"), {}.get("/nothing"))
"""
ITS_MODULE = """\
import requests

class Shop:
    def get(self, path):
        return requests.get("https://api.shopkeep.com" + path).json()
"""
TWO_HOSTS = """\
import httpx

class Shop:
    def __init__(self, dc):
        self.login_url = f"https://login.shopkeep.{dc}"
        self.http = httpx.Client(base_url=f"https://www.shopkeep.{dc}/v8", timeout=30.0)
        httpx.post(f"{self.login_url}/token", data={"grant_type": "refresh_token"})

    def ask(self, path, params):
        return self.http.get(path, params=params).json()

    def all(self, kind):
        return self.ask(f"/{kind}", {})

    def orders(self):
        return self.ask("/orders", {})
"""
WHERE_THE_RUN_SAYS = """\
import requests

LOGIN_URL = "https://login.shopkeep.com"

class Shop:
    def __init__(self, instance_url):
        self.instance_url = instance_url.rstrip("/")

    def orders(self):
        return requests.get(self.instance_url + "/v60.0/orders").json()

    def login(self):
        return requests.post(f"{LOGIN_URL}/token", data={"grant_type": "refresh_token"}).json()
"""
A_DEFAULT_HOST = """\
import os
import requests

HOST = os.environ.get("SHOP_HOST", "services1.shopkeep.com")

def orders(tenant):
    return requests.post(f"https://{HOST}/{tenant}/orders", data="x")
"""
A_NEXT_ADDRESS = """\
import httpx

http = httpx.Client(base_url="https://api.shopkeep.com/v1")

def ask(path):
    return http.get(path).json()

def moved():
    return ask("https://files.shopkeep.com/archive")
"""
IN_PYTHON = """\
import requests

def rows(path):
    cursor = None
    while True:
        page = requests.get("https://api.shopkeep.com" + path, params={"cursor": cursor}).json()
        yield from page["rows"]
        cursor = page.get("cursor")
        if not cursor:
            return

def report(cursor):
    for row in rows("/orders"):
        print(row, {"cursor": cursor})
"""
IN_TYPESCRIPT = """\
async function* rows(path: string) {
  let cursor: string | undefined;
  do {
    const page = await (await fetch(`https://api.shopkeep.com${path}?cursor=${cursor}`)).json();
    yield* page.rows;
    cursor = page.cursor;
  } while (cursor);
}

export async function report(cursor: string) {
  for await (const row of rows("/orders")) {
    console.log(row, { cursor });
  }
}
"""


def _told(tmp_path: Path, **files: str) -> dict[str, Any]:
    """The one connector of these modules."""
    made = Repository(tmp_path / "one").begin()
    for name, text in files.items():
        made.write(f"{name}.py", text)
    (found,) = made.audited()["connectors"]
    told: dict[str, Any] = found
    return told


def _endpoints(told: dict[str, Any]) -> list[str]:
    return [f"{one['method']} {one['host'] or '?'}{one['path']}" for one in told["endpoints"]]


@pytest.mark.parametrize(
    ("files", "endpoints"),
    [
        ({"shop": A_GET_OF_ITS_OWN}, ["GET api.shopkeep.com/orders", "GET api.shopkeep.com/people"]),
        ({"shop": A_FUNCTION_CALLED_GET}, ["GET api.shopkeep.com/Person/{number}"]),
        ({"shop_client": ITS_MODULE, "app": AN_IMPORTED_CLASS}, ["GET api.shopkeep.com/orders"]),
    ],
    ids=["a method", "a function", "an imported class"],
)
def test_only_what_is_called_upon_the_client_is_a_request(
    tmp_path: Path, files: dict[str, str], endpoints: list[str]
) -> None:
    """A dictionary's `get`, and the environment's, ask nobody, whatever the connector's own functions are called."""
    assert endpoints == _endpoints(_told(tmp_path, **files))


@pytest.mark.parametrize(
    ("text", "endpoints"),
    [
        (
            TWO_HOSTS,
            [
                "POST login.shopkeep.{dc}/token",
                "GET www.shopkeep.{dc}/v8/orders",
                "GET www.shopkeep.{dc}/v8/{kind}",
            ],
        ),
        (WHERE_THE_RUN_SAYS, ["GET ?/v60.0/orders", "POST login.shopkeep.com/token"]),
        (A_DEFAULT_HOST, ["POST services1.shopkeep.com/{tenant}/orders"]),
        (A_NEXT_ADDRESS, ["GET files.shopkeep.com/archive"]),
    ],
    ids=["its client's base", "known to a run alone", "a setting's default", "a whole address"],
)
def test_a_path_is_asked_for_where_its_client_asks(tmp_path: Path, text: str, endpoints: list[str]) -> None:
    """The host at which tokens are had is not taken for that of the records, nor is one guessed that a run is given."""
    assert endpoints == _endpoints(_told(tmp_path, shop=text))


def test_a_test_names_no_endpoint(tmp_path: Path) -> None:
    """A test that calls the connector leaves what its own code says as it is."""
    shop = 'import requests\n\ndef orders(kind):\n    return requests.get(f"https://api.shopkeep.com/{kind}")\n'

    told = _told(tmp_path, shop=shop, test_shop='from shop import orders\n\nassert orders("late")\n')

    assert ["GET api.shopkeep.com/{kind}"] == _endpoints(told)


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ('f"select * from orders offset {start}"', ["offset"]),
        ('f"still nothing after {start} of them, at page {start}"', []),
    ],
    ids=["a query", "prose"],
)
def test_a_word_before_a_number_pages_in_a_query_alone(tmp_path: Path, text: str, kinds: list[str]) -> None:
    """What a message says of a loop is no parameter."""
    shop = (
        "import requests\n\ndef orders():\n    start = 0\n    while True:\n"
        '        body = requests.post("https://api.shopkeep.com/x").json()\n'
        f"        print({text})\n        start += len(body)\n"
    )

    assert kinds == _told(tmp_path, shop=shop)["pagination"]


@pytest.mark.parametrize(("file", "text", "lines"), [("shop.py", IN_PYTHON, 6), ("shop.ts", IN_TYPESCRIPT, 5)])
def test_what_a_loop_goes_over_is_asked_for_once(tmp_path: Path, file: str, text: str, lines: int) -> None:
    """Who reads a listing to its end has no pagination code: the listing has."""
    made = Repository(tmp_path / "one").begin()
    made.write(file, text)
    (told,) = made.audited()["connectors"]

    assert [lines] == [one["lines"] for one in told["pagination_code"]]
