"""What the audit makes of the ways in which code puts an address together, passes it on, and follows the next one."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from audited import Repository

pytest.importorskip("tree_sitter_language_pack", reason="the extra [audit] has the grammars")
pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="an audit asks git")

ONE_SHAPE = """\
import requests

BASE = "https://api.shopkeep.com"

def one(kind, record_id):
    return requests.get(f"{BASE}/v1/{kind}/{record_id}").json()

def again(name, number):
    return requests.get(f"{BASE}/v1/{name}/{number}").json()
"""
NAMED_BY_CALLERS = """\
const BASE = process.env.SHOP_URL ?? "https://api.shopkeep.com/v3";
class Shop {
  async list(resource) {
    return fetch(`${BASE}/${resource}?limit=10`);
  }
}
export const all = async (shop) => [await shop.list("orders"), await shop.list("people")];
"""
NAMED_BY_NOBODY = """\
const BASE = "https://api.shopkeep.com/v3";
const list = (kind) => fetch(`${BASE}/${kind}?limit=10`);
export const chosen = () => list(process.argv[2]);
"""
SEVERAL_IN_ONE = """\
const API = "https://api.shopkeep.com";
const request = (path) => fetch(`${API}${path}`);
function read(kind, id) {
  if (kind === "orders") return request(`/orders/${id}`);
  return request(`/people/${id}`);
}
read("orders", process.argv[2]);
"""
BEHIND_A_HOST = """\
const API = "https://api.shopkeep.com";
async function get(path, query) {
  return fetch(`${API}${path}?${new URLSearchParams(query)}`);
}
export const orders = () => get("/orders", { limit: "5" });
"""
ENCODED = """\
const API = "https://api.shopkeep.com";
export const order = (id) => fetch(`${API}/orders/${encodeURIComponent(id)}`);
"""
FROM_TWO_NAMES = """\
const HOST = `https://${process.env.SHOP_ACCOUNT.toLowerCase().replaceAll("_", "-")}.shopkeep.com`;
async function call(method, path, query) {
  const url = new URL(path, HOST);
  url.search = new URLSearchParams(query).toString();
  return fetch(url, { method });
}
export const query = () => call("POST", "/query", { limit: "5" });
"""


@pytest.mark.parametrize(
    ("path", "text", "endpoints"),
    [
        ("shop.py", ONE_SHAPE, ["GET api.shopkeep.com/v1/{kind}/{record_id}"]),
        ("shop.ts", NAMED_BY_CALLERS, ["GET api.shopkeep.com/v3/orders", "GET api.shopkeep.com/v3/people"]),
        ("shop.ts", NAMED_BY_NOBODY, ["GET api.shopkeep.com/v3/{kind}"]),
        ("shop.ts", SEVERAL_IN_ONE, ["GET api.shopkeep.com/orders/{id}", "GET api.shopkeep.com/people/{id}"]),
        ("shop.ts", BEHIND_A_HOST, ["GET api.shopkeep.com/orders"]),
        ("shop.ts", ENCODED, ["GET api.shopkeep.com/orders/{id}"]),
        ("shop.ts", FROM_TWO_NAMES, ["POST {shop_account}.shopkeep.com/query"]),
    ],
    ids=[
        "holes of other names",
        "a resource that callers name",
        "one that nobody names",
        "several paths of one function",
        "a path behind a host",
        "an id that is encoded",
        "an address of two names",
    ],
)
def test_each_endpoint_is_told_once(tmp_path: Path, path: str, text: str, endpoints: list[str]) -> None:
    """By what callers say, and by its holes where none says it; what a hole is called makes no endpoint another one."""
    made = Repository(tmp_path / "one").begin()
    made.write(path, text)
    (found,) = made.audited()["connectors"]

    assert endpoints == [f"{one['method']} {one['host']}{one['path']}" for one in found["endpoints"]]


@pytest.mark.parametrize(
    "finds",
    [
        """header?.match(/<([^>]+)>;\\s*rel="next"/)?.[1] ?? null""",
        """links(header).get("next") ?? null""",
    ],
    ids=["by an expression", "by a word"],
)
def test_a_link_header_may_be_read_by_a_function_of_its_own(tmp_path: Path, finds: str) -> None:
    """The loop follows what that function gives it."""
    made = Repository(tmp_path / "one").begin()
    made.write(
        "shop.ts",
        'class Shop {\n  async *list() {\n    let url: string | null = "https://api.shopkeep.com/orders";\n'
        "    while (url) {\n      const answer: Response = await this.#get(url);\n      yield* await answer.json();\n"
        '      url = following(answer.headers.get("link"));\n    }\n  }\n'
        "  async #get(url: string): Promise<Response> {\n    return fetch(url);\n  }\n}\n"
        f"function following(header: string | null): string | null {{\n  return {finds};\n}}\n",
    )

    assert ["link_header"] == made.connector("shop")["pagination"]


def test_a_signature_of_oauth_1_is_no_other_kind(tmp_path: Path) -> None:
    """The HMAC beside it is a part of it."""
    made = Repository(tmp_path / "one").begin()
    made.write(
        "shop.ts",
        'import { createHmac } from "node:crypto";\n'
        'const oauth = { oauth_token: "t", oauth_nonce: "n" };\n'
        'const signature = createHmac("sha256", "key").update("base").digest("base64");\n'
        'fetch("https://api.shopkeep.com/orders", { headers: { authorization: `OAuth ${oauth} ${signature}` } });\n',
    )

    assert ["oauth1"] == made.connector("shop")["auth"]
