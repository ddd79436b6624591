"""Providers as their documentation has them: the configs in provider_configs/, and an account for each.

No answer in the tests that use these is recorded: each is composed from documented shapes, with invented values.
"""

from __future__ import annotations

import asyncio
import json
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from connproof.clock import Clock
from connproof.config import parse
from connproof.model import Account, Connector, Response
from connproof.places import JsonValue
from connproof.run import Call, Engine, Record
from scripted import Provider

__all__ = ["CONFIGS", "NAMES", "account", "document", "engine", "loaded", "read", "soap", "xml"]

CONFIGS: Final = Path(__file__).parent / "provider_configs"
NAMES: Final = tuple(path.stem for path in sorted(CONFIGS.glob("*.json")))

TENANT: Final = "3f2a9c1e-0000-4000-8000-000000000001"

_VARIABLES: Final = MappingProxyType(
    {
        "bamboohr": {"subdomain": "acme"},
        "freshdesk": {"domain": "acme"},
        "greenhouse": {"user_id": "7"},
        "jira": {"cloud_id": TENANT},
        "marketo": {"munchkin": "123-ABC-456"},
        "microsoft-graph": {"tenant": "acme.example"},
        "netsuite": {"account_id": "123456_SB1"},
        "okta": {"org": "acme"},
        "pipedrive": {"api_domain": "https://acme.pipedrive.com"},
        "quickbooks": {"realm_id": "4620816365"},
        "salesforce": {"instance_url": "https://acme.my.salesforce.com"},
        "scim": {"service": "https://acme.scim.example"},
        "shopify": {"shop": "acme"},
        "workday": {"host": "wd2-impl-services1.workday.com", "tenant": "acme_gms"},
        "workday-rest": {"host": "wd2-impl-services1.workday.com", "tenant": "acme_gms"},
        "xero": {"tenant_id": TENANT},
        "zendesk": {"subdomain": "Acme"},
        "zoho": {"api_domain": "https://www.zohoapis.eu", "dc": "eu"},
    }
)

_CREDENTIALS: Final[MappingProxyType[str, JsonValue]] = MappingProxyType(
    {
        name: f"invented-{name}"
        for name in (
            "access_token",
            "api_key",
            "api_token",
            "client_id",
            "client_secret",
            "consumer_key",
            "consumer_secret",
            "email",
            "password",
            "refresh_token",
            "secret_key",
            "token",
            "token_secret",
            "username",
        )
    }
)


@cache
def _text(name: str) -> str:
    return (CONFIGS / f"{name}.json").read_text(encoding="utf-8")


def document(name: str) -> dict[str, Any]:
    """A provider's config as a document of its own, to be changed."""
    found: dict[str, Any] = json.loads(_text(name))
    return found


@cache
def loaded(name: str) -> Connector:
    """A provider's config, loaded. Raises ConfigWrong."""
    return parse(_text(name).encode(), folder=name)


def account(name: str) -> Account:
    """An account with every credential that a scheme may ask for, and the variables of this provider."""
    return Account("acme", _CREDENTIALS, MappingProxyType(_VARIABLES.get(name, {})))


def engine(connector: Connector, provider: Provider, **options: Any) -> Engine:
    """An engine on behalf of that account; the provider keeps its events."""
    return Engine(connector, provider, account=account(connector.name), listener=provider.events.append, **options)


def read(
    connector: Connector,
    provider: Provider,
    target: str,
    operation: str | None = None,
    call: Call | None = None,
    *,
    into: list[Record] | None = None,
    clock: Clock | None = None,
) -> list[Record]:
    """All raw records of a listing. Those read before an error stand in `into`."""
    records: list[Record] = [] if into is None else into

    async def whole() -> list[Record]:
        async for record in engine(connector, provider, clock=clock).read(target, operation, call or Call(raw=True)):
            records.append(record)  # noqa: PERF401 they must be there when the read fails
        return records

    return asyncio.run(whole())


def xml(text: str, *headers: tuple[str, str], status: int = 200) -> Response:
    """An answer of XML."""
    return Response(status, (("content-type", "text/xml; charset=utf-8"), *headers), text.encode())


def soap(body: str, status: int = 200) -> Response:
    """A SOAP answer with this in its body."""
    envelope = f'<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body>{body}</e:Body></e:Envelope>'
    return xml(envelope, status=status)
