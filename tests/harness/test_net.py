"""The net: no httpx call escapes while it is open, whenever httpx is loaded; none notices it afterwards.

What depends on httpx not being loaded yet happens in a process of its own.
"""

from __future__ import annotations

import subprocess
import sys

import httpx
import pytest

from connproof.model import Request, Response
from pytest_connproof.net import HttpxNet
from pytest_connproof.recording import Exchange, Lane
from pytest_connproof.replay import Ledger, UnmatchedRequest

URL = "http://127.0.0.1:9/deals"  # a port that nobody listens on
EXCHANGE = Exchange("deals.list/1", Request("GET", URL), Response(200, (), b"[]"), repeats=False, pointer="")
LANE = Lane("deals.list", "strict", None, (EXCHANGE,), "")

CLOSED = "the network is closed"


def seen(program: str) -> list[str]:
    """What a program prints to which `net` is an open net, httpx not having been loaded."""
    start = """
import sys
from pytest_connproof.net import HttpxNet
before = list(sys.meta_path)
net = HttpxNet()
net.open()
assert not {"httpx", "httpcore", "respx"} & sys.modules.keys()
"""
    ran = subprocess.run([sys.executable, "-c", start + program], capture_output=True, text=True, check=True)
    return ran.stdout.splitlines()


def test_an_open_net_refuses_every_call() -> None:
    """What no replay asks for is refused, and the request goes nowhere."""
    net = HttpxNet()
    net.open()
    try:
        with pytest.raises(httpx.ConnectError, match=CLOSED):
            httpx.get(URL, trust_env=False)
    finally:
        net.close()


def test_a_replay_answers() -> None:
    """Within a replay an httpx call is answered from the ledger, or is a request that is not recorded."""
    with HttpxNet().answering(Ledger(LANE)):
        answer = httpx.get(URL, trust_env=False)
        with pytest.raises(UnmatchedRequest):
            httpx.get(URL, trust_env=False)

    assert (200, b"[]") == (answer.status_code, answer.content)


@pytest.mark.parametrize("is_open", [True, False])
def test_a_replay_leaves_the_net_as_it_was(is_open: bool) -> None:
    """A net that was open stays open after a replay; one that was not is open for the replay alone."""
    net = HttpxNet()
    if is_open:
        net.open()
    with net.answering(Ledger(LANE)):
        pass
    try:
        with pytest.raises(httpx.ConnectError) as caught:
            httpx.get(URL, trust_env=False)
    finally:
        net.close()

    assert is_open is (CLOSED in str(caught.value))


@pytest.mark.parametrize(
    "call",
    [
        "import httpx; httpx.get('{url}', trust_env=False)",
        "from httpx import Client; Client(trust_env=False).get('{url}')",
        "import asyncio, httpx; asyncio.run(httpx.AsyncClient(trust_env=False).get('{url}'))",
        "import importlib; importlib.import_module('httpx').get('{url}', trust_env=False)",
        "import httpx._client; httpx._client.Client(trust_env=False).get('{url}')",
        "import httpcore; httpcore.request('GET', '{url}')",
        "import httpcore._sync.connection_pool as pool; pool.ConnectionPool().request('GET', '{url}')",
    ],
)
def test_a_client_that_is_loaded_meanwhile_is_caught_too(call: str) -> None:
    """However httpx, or what it sends through, comes in: its very first call is refused."""
    program = f"""
try:
    {call.format(url=URL)}
except Exception as refused:
    print(refused)
"""
    assert [True] == [CLOSED in line for line in seen(program)]


def test_a_client_that_is_loaded_in_another_thread_is_caught_too() -> None:
    """The net belongs to the process, not to a thread."""
    program = f"""
import threading
said = []
def call():
    import httpx
    try:
        httpx.get({URL!r}, trust_env=False)
    except httpx.ConnectError as refused:
        said.append(str(refused))
threads = [threading.Thread(target=call) for _ in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(*said, sep="\\n")
"""
    assert [True] * 4 == [CLOSED in line for line in seen(program)]


def test_a_net_that_nobody_met_leaves_no_trace() -> None:
    """Without httpx, opening and closing loads nothing and leaves the import system as it was."""
    program = """
net.close()
print(before == sys.meta_path, bool({"httpx", "httpcore", "respx"} & sys.modules.keys()))
"""
    assert ["True False"] == seen(program)


def test_a_client_that_was_loaded_meanwhile_is_as_any_other_afterwards() -> None:
    """Its modules have their own loaders, the import system is as it was, and its calls go out."""
    program = f"""
import httpcore, httpx
from importlib.machinery import SourceFileLoader
print(before == sys.meta_path)
print(all(type(m.__loader__) is type(m.__spec__.loader) is SourceFileLoader for m in (httpx, httpcore)))
net.close()
try:
    httpx.get({URL!r}, trust_env=False)
except httpx.ConnectError as refused:
    print("closed" in str(refused))
"""
    assert ["True", "True", "False"] == seen(program)


def test_a_net_opened_twice_is_closed_once() -> None:
    """Opening what is open changes nothing, before and after httpx was loaded."""
    program = f"""
net.open()
import httpx
net.open()
net.close()
print(before == sys.meta_path)
try:
    httpx.get({URL!r}, trust_env=False)
except httpx.ConnectError as refused:
    print("closed" in str(refused))
"""
    assert ["True", "False"] == seen(program)
