"""Traffic of the shop as other tools keep it: VCR, vcrpy, betamax, HAR. Its token is a canary."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any, Final

from shop import DEALS

__all__ = ["BETAMAX", "CANARY", "FORMATS", "HAR", "PAGES", "RUBY_VCR", "TOKEN", "URL", "VCRPY", "vcr"]

CANARY: Final = "canary-7f3a9e51c2d84b60"


def vcr(*exchanges: tuple[str, str, Any], headers: dict[str, list[str]] | None = None) -> str:
    """A cassette of Ruby's VCR in JSON: method, URL and response body of each exchange."""
    interactions = [
        {
            "request": {"method": method, "uri": url, "headers": headers or {"User-Agent": ["Faraday"]}},
            "response": {
                "status": {"code": 200, "message": "OK"},
                "headers": {"Content-Type": ["application/json"], "Server": ["nginx"]},
                "body": {"encoding": "UTF-8", "string": body if isinstance(body, str) else json.dumps(body)},
            },
            "recorded_at": "Tue, 05 May 2026 22:51:34 GMT",
        }
        for method, url, body in exchanges
    ]
    return json.dumps({"http_interactions": interactions, "recorded_with": "VCR 6.1.0"})


URL = "https://api.shop.example/v1"
PAGES = (
    ("get", f"{URL}/deals?limit=2", {"results": DEALS[:2], "paging": {"next": {"after": "c-2"}}}),
    ("get", f"{URL}/deals?limit=2&after=c-2", {"results": DEALS[2:]}),
)
TOKEN = {"Authorization": [f"Bearer {CANARY}"], "User-Agent": ["Faraday"]}

RUBY_VCR = f"""\
http_interactions:
- request:
    method: get
    uri: {URL}/deals?limit=2
    headers:
      Authorization: [Bearer {CANARY}]
      User-Agent: [Faraday]
  response:
    status: {{code: 200, message: OK}}
    headers:
      Content-Type: [application/json]
      Server: [nginx]
    body:
      encoding: UTF-8
      string: '{json.dumps({"results": DEALS})}'
  recorded_at: Tue, 05 May 2026 22:51:34 GMT
recorded_with: VCR 6.1.0
"""
VCRPY = f"""\
interactions:
- request:
    body: null
    headers:
      Authorization: [Bearer {CANARY}]
      User-Agent: [python-requests]
    method: GET
    uri: {URL}/deals?limit=2
  response:
    body:
      string: '{json.dumps({"results": DEALS})}'
    headers:
      Content-Type: [application/json]
      Server: [nginx]
    status: {{code: 200, message: OK}}
version: 1
"""
BETAMAX = json.dumps(
    {
        "http_interactions": [
            {
                "request": {
                    "method": "GET",
                    "uri": f"{URL}/deals?limit=2",
                    "body": {"encoding": "utf-8", "string": ""},
                    "headers": {"Authorization": [f"Bearer {CANARY}"], "User-Agent": ["python-requests"]},
                },
                "response": {
                    "status": {"code": 200, "message": "OK"},
                    "url": f"{URL}/deals?limit=2",
                    "headers": {"Content-Type": ["application/json"], "Content-Encoding": ["gzip"]},
                    "body": {
                        "encoding": "utf-8",
                        "base64_string": base64.b64encode(
                            gzip.compress(json.dumps({"results": DEALS}).encode(), mtime=0)
                        ).decode(),
                    },
                },
                "recorded_at": "2026-05-05T22:51:34",
            }
        ],
        "recorded_with": "betamax/0.9.0",
    }
)
HAR = json.dumps(
    {
        "log": {
            "version": "1.2",
            "creator": {"name": "a browser", "version": "1"},
            "entries": [
                {
                    "startedDateTime": "2026-05-06T00:51:34.000+02:00",
                    "time": 1,
                    "cache": {},
                    "timings": {},
                    "request": {
                        "method": "GET",
                        "url": f"{URL}/deals?limit=2",
                        "headers": [
                            {"name": ":authority", "value": "api.shop.example"},
                            {"name": "Authorization", "value": f"Bearer {CANARY}"},
                            {"name": "Cookie", "value": f"session={CANARY}"},
                        ],
                    },
                    "response": {
                        "status": 200,
                        "headers": [{"name": "Content-Type", "value": "application/json"}],
                        "content": {"size": 9, "mimeType": "application/json", "text": json.dumps({"results": DEALS})},
                    },
                }
            ],
        }
    }
)
FORMATS = {"ruby-vcr": RUBY_VCR, "vcrpy": VCRPY, "betamax": BETAMAX, "har": HAR}
