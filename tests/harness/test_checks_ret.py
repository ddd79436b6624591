"""Each RET check passes on a whole project with something counted, and fails on each way to leave a payload behind."""

from __future__ import annotations

import logging
import os
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from projects import Project

from connproof.decode import decode
from connproof.errors import ProviderSaid
from connproof.events import PageRead
from connproof.model import Account, Response
from connproof.outcome import error_of
from connproof.run import sending
from pytest_connproof.checks import ret
from pytest_connproof.finding import Finding, Inconclusive
from pytest_connproof.watch import Watch

FILE = "recordings/orders.json"
FAULT = "this is a fault of the engine, not of the connector: report it"


def _refuted(project: Project, check: str) -> Finding:
    with pytest.raises(Finding) as found:
        project.judge(check)
    return found.value


@pytest.mark.parametrize(("check", "evidence"), [("RET-001", {"lanes": 3, "canaries": 7}), ("RET-002", {"errors": 10})])
def test_RET_passes_with_counts(orders: Project, check: str, evidence: dict[str, int]) -> None:
    """A pass says how much it looked at."""
    assert evidence == orders.judge(check)


def test_RET_passes_on_a_file_that_holds_nothing_of_it(
    orders: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """To write is no offence; what was written is looked at: RET-001."""
    _leaving(monkeypatch, lambda body: (tmp_path / "count").write_text(str(len(body))))

    assert {"lanes": 3, "canaries": 7} == orders.judge("RET-001")


# RET-001


def _leaving(monkeypatch: pytest.MonkeyPatch, leave: Callable[[bytes], Any]) -> None:
    """An engine that does something with each body that it gets."""
    real = sending.Door._read

    def read(self: Any, operation: Any, request: Any, response: Response, account: Account) -> Any:
        leave(response.body)
        return real(self, operation, request, response, account)

    monkeypatch.setattr(sending.Door, "_read", read)


def _os_open(body: bytes) -> None:
    descriptor = os.open("kept.bin", os.O_WRONLY | os.O_CREAT, 0o600)
    os.write(descriptor, body)
    os.close(descriptor)


def _renamed(body: bytes) -> None:
    Path("kept.tmp").write_bytes(body)
    Path("kept.tmp").rename("kept.txt")


def _in_a_database(body: bytes) -> None:
    import sqlite3

    database = sqlite3.connect("kept.db")
    with database:
        database.execute("create table if not exists kept (body)")
        database.execute("insert into kept values (?)", (body.decode(),))
    database.close()


@pytest.mark.parametrize(
    ("leave", "where"),
    [
        pytest.param(lambda body: Path("kept.json").write_bytes(body), "file kept.json", id="file"),
        pytest.param(_os_open, "file kept.bin", id="file by os.open"),
        pytest.param(_renamed, "file kept.txt", id="file that is renamed"),
        pytest.param(_in_a_database, "file kept.db", id="database"),
        pytest.param(lambda body: logging.getLogger("engine").debug("got %s", body), "log engine", id="log"),
        pytest.param(
            lambda body: logging.getLogger("engine").debug("got", extra={"body": body.decode()}),
            "log engine",
            id="log, beside its text",
        ),
        pytest.param(lambda body: sys.stdout.write(body.decode()), "printed", id="print"),
        pytest.param(lambda body: sys.stderr.write(body.decode()), "printed", id="stderr"),
        pytest.param(lambda body: warnings.warn(body.decode(), stacklevel=1), "warning", id="warning"),
    ],
)
def test_RET_001_fails_on_what_is_left_behind(
    orders: Project, monkeypatch: pytest.MonkeyPatch, leave: Callable[[bytes], Any], where: str
) -> None:
    """Wherever a body goes besides to the caller, it is found there."""
    _leaving(monkeypatch, leave)

    assert (f"what a provider sent was left behind: orders.list\n\n  found in   {where}\n  fix        {FAULT}") == str(
        _refuted(orders, "RET-001")
    )


def test_RET_001_fails_on_events_that_show_records(orders: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever logs events must not log records."""
    monkeypatch.setattr(PageRead, "__repr__", lambda _: f"PageRead({ret.CANARY})")

    found = _refuted(orders, "RET-001")

    assert "what a provider sent stands in print: orders.list" == found.what
    assert "found in   PageRead" in found.facts


def test_RET_001_fails_with_a_doubt_without_a_text(orders: Project) -> None:
    """A payload that cannot be marked cannot be looked for."""
    orders.change(FILE, "/lanes", orders.read(FILE)["lanes"][3:4])
    orders.change(FILE, "/lanes/0/exchanges/0/response/json/title", "7")

    with pytest.raises(Inconclusive) as doubt:
        orders.judge("RET-001")

    assert ("no text of any record reached the caller\n  fix  record a lane whose records have texts") == str(
        doubt.value
    )


@pytest.mark.parametrize("check", ["RET-001", "RET-002"])
def test_RET_001_RET_002_fails_with_a_doubt_where_nothing_succeeds(orders: Project, check: str) -> None:
    """There is no page to mark or to break."""
    orders.change(FILE, "/lanes", orders.read(FILE)["lanes"][4:5])

    with pytest.raises(Inconclusive, match="no recorded lane succeeds"):
        orders.judge(check)


# RET-002


def test_RET_002_fails_on_an_error_that_quotes_the_page(orders: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """A parser that shows what it could not read."""
    real = sending.Door._read

    def read(self: Any, operation: Any, request: Any, response: Response, account: Account) -> Any:
        try:
            return real(self, operation, request, response, account)
        except ProviderSaid as said:
            if 200 <= response.status < 300:
                said.facts["body"] = response.body.decode()
            raise

    monkeypatch.setattr(sending.Door, "_read", read)
    orders.change(FILE, "/lanes", orders.read(FILE)["lanes"][:1])

    found = _refuted(orders, "RET-002")

    assert "the error about a page that is cut off shows it: orders.list" == found.what
    assert "found in   its text\n             its traceback" in found.facts


def test_RET_002_fails_on_a_cause_that_quotes_the_page(orders: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error is clean, and what hangs on it is not."""
    real = sending.Door._read

    def read(self: Any, operation: Any, request: Any, response: Response, account: Account) -> Any:
        try:
            return real(self, operation, request, response, account)
        except ProviderSaid as said:
            raise said from ValueError(response.body.decode())

    monkeypatch.setattr(sending.Door, "_read", read)
    orders.change(FILE, "/lanes", orders.read(FILE)["lanes"][:1])

    found = _refuted(orders, "RET-002")

    assert "the error about a page that is cut off shows it: orders.list" == found.what
    assert "found in   its traceback" in found.facts


def test_RET_002_fails_on_a_broken_page_that_is_kept(orders: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that cannot be read is still the account's data."""
    real = decode

    def keeping(response: Response, **words: Any) -> Any:
        try:
            return real(response, **words)
        except ProviderSaid:
            Path("unreadable.json").write_bytes(response.body)
            raise

    monkeypatch.setattr(sending, "decode", keeping)

    found = _refuted(orders, "RET-002")

    assert "a page that is cut off was left behind: orders.list" == found.what
    assert "found in   file unreadable.json" in found.facts


def test_RET_002_fails_on_an_error_that_quotes_the_provider(orders: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a provider says in words may quote what was sent: callers get it, logs do not."""
    real = error_of

    def quoting(*args: Any, **words: Any) -> ProviderSaid:
        error = real(*args, **words)
        error.facts["it says"] = error.message
        return error

    monkeypatch.setattr(sending, "error_of", quoting)

    found = _refuted(orders, "RET-002")

    assert "an error quotes what the provider said: orders.list#too-fast" == found.what
    assert "found in   its text" in found.facts


def test_RET_002_fails_with_a_doubt_where_no_page_can_be_broken(
    orders: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No error was seen, so nothing is known of errors."""
    orders.change(FILE, "/lanes", orders.read(FILE)["lanes"][3:4])
    monkeypatch.setattr(ret, "_cut", lambda _operation, body: body)
    monkeypatch.setattr(ret, "_retyped", lambda _operation, body: body)

    with pytest.raises(Inconclusive, match="no page could be broken so that the read fails"):
        orders.judge("RET-002")


# What the checks look with.


def test_a_watch_leaves_the_process_as_it_was() -> None:
    """Handlers, levels, streams and filters are put back."""
    root = logging.getLogger()
    before = (root.level, [*root.handlers], sys.stdout, [*warnings.filters])

    with Watch() as watch:
        logging.getLogger("anybody").info("connproof-word")

    assert before == (root.level, [*root.handlers], sys.stdout, [*warnings.filters])
    assert ["log anybody"] == watch.found("connproof-word")


def test_a_watch_sees_nothing_before_and_after(tmp_path: Path) -> None:
    """What others wrote is theirs."""
    (tmp_path / "before").write_text("connproof-word")
    with Watch() as watch:
        pass
    (tmp_path / "after").write_text("connproof-word")

    assert [] == watch.found("connproof-word")
