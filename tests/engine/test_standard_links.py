"""The rows of the project's table of Link headers that only a whole read can show: what is asked, and what is not."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from connproof.config import parse
from connproof.errors import ForeignNextLink, LimitExceeded, PaginationLoop, ProviderBroke
from connproof.model import Response
from connproof.run import Engine
from connproof.transport import HttpxTransport
from loopback import Asked, Loopback
from scripted import BASE, answer, connector, items, read, rows, scripted

LINK: dict[str, Any] = {"type": "link_header"}


@pytest.mark.parametrize(
    "target",
    [
        pytest.param("//{sink}/x", id="LK27-host"),
        pytest.param("http://{sink}/x", id="LK27-port"),
        pytest.param("https://{provider}/x", id="LK27-scheme"),
        pytest.param("http://user:pw@{sink}/x", id="LK27-userinfo"),
        pytest.param("http://{provider}@{sink}/x", id="LK27-userinfo-like-a-host"),
        pytest.param("http:{sink}/x", id="LK28-no-slashes"),
        pytest.param("/\\{sink}/x", id="LK28-backslash"),
        pytest.param("@{sink}/x", id="LK28-at"),
        pytest.param("javascript:fetch('//{sink}')", id="LK28-javascript"),
        pytest.param("file://{sink}/x", id="LK28-file"),
        pytest.param("http://{provider},<//{sink}/x", id="LK13"),
    ],
)
def test_a_foreign_next_link_sees_no_connection(target: str) -> None:
    """Over a real network: the provider is asked once, and the place where the link leads never."""

    def respond(_: Asked) -> Response:
        named = target.format(sink=sink.url.removeprefix("http://"), provider=provider.url.removeprefix("http://"))
        return answer({"items": []}, ("link", f"<{named}>; rel=next"))

    async def whole() -> None:
        async with HttpxTransport(user_agent="test/1", allow_loopback=True) as transport:
            async for _ in Engine(config, transport).read("rows"):
                pass

    with Loopback(lambda _: Response(200)) as sink, Loopback(respond) as provider:
        listing = {"method": "GET", "path": "/rows", "response_path": "items", "pagination": LINK}
        document = {"base_url": provider.url, "auth": {"type": "none"}, "resources": {"rows": {"list": listing}}}
        config = parse(json.dumps(document).encode(), folder="sample", allow_loopback=True)
        with pytest.raises(ForeignNextLink):
            asyncio.run(whole())

    assert (1, []) == (len(provider.asked), sink.asked)


@pytest.mark.parametrize(
    ("targets", "asked"),
    [
        pytest.param(["/v1/rows"], 1, id="LK29-itself"),
        pytest.param(["?", "?"], 2, id="LK29-itself-spelt-otherwise"),
        pytest.param([""], 1, id="LK26"),
        pytest.param(["?p=a", "?p=b", "?p=a", "?p=b"], 3, id="LK29-A-B-A-B"),
    ],
)
def test_a_link_to_what_was_read_ends_in_an_error(targets: list[str], asked: int) -> None:
    """No request is made twice, and no record given twice unseen."""
    pages = [answer({"items": rows(n, n)}, ("link", f"<{target}>; rel=next")) for n, target in enumerate(targets)]
    provider = scripted(*pages)

    with pytest.raises(PaginationLoop):
        read(connector(LINK), provider)

    assert asked == len(provider.requests)


@pytest.mark.parametrize(
    ("line", "error"),
    [
        pytest.param(f"<{BASE}/rows?p=2>; rel=next, <{BASE}/rows?p=3>; rel=next", ProviderBroke, id="LK23"),
        pytest.param("<a>; rel=x," * 10_000, LimitExceeded, id="LK30-100-kB"),
        pytest.param("<>;rel=x," * 10_000, LimitExceeded, id="LK30-10,000-links"),
        pytest.param(f"<?{'x' * 60_000}>; rel=next", LimitExceeded, id="LK30-long-target"),
    ],
)
def test_a_header_that_cannot_be_followed_is_a_typed_error(line: str, error: type[Exception]) -> None:
    """It carries a resume token, and nothing more was asked."""
    provider = scripted(answer({"items": rows(1, 1)}, ("link", line)))

    with pytest.raises(error) as caught:
        read(connector(LINK), provider)

    assert isinstance(caught.value, ProviderBroke) and caught.value.resume
    assert 1 == len(provider.requests)


def test_invalid_bytes_beside_a_link_do_no_harm() -> None:
    """LK30: a title in any encoding."""
    provider = scripted(answer({"items": rows(1, 1)}, ("link", '<?p=2>; title="\xff\x80"; rel=next')), items(2))

    assert rows(1, 2) == read(connector(LINK), provider)
