"""`connproof baseline`: what the old code returns on recorded traffic, stored as what the config is held to.

A snapshot is written whole, once the old code has ended well and every request of it was answered from a recording.
One that is there is never overwritten unasked: the same result is told to be the same, another one to differ.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from connproof import config
from connproof.documents import child, read_json
from connproof.errors import CallWrong, ConfigWrong, ConnproofError, Fact
from connproof.model import Account
from connproof.places import JsonValue
from connproof.scrub import Scrubber
from pytest_connproof.authority import Authority
from pytest_connproof.finding import counted, rows
from pytest_connproof.lane_run import credentials_of
from pytest_connproof.named import lane_named, subject_named
from pytest_connproof.old_code import (
    Ran,
    RanTooLong,
    code_among,
    commit_of,
    digest_of,
    leading_to,
    run,
    shown_command,
)
from pytest_connproof.parity import compare
from pytest_connproof.redact import Policy
from pytest_connproof.redact.names import slot_of
from pytest_connproof.served import Served
from pytest_connproof.server import LoopbackServer
from pytest_connproof.snapshots import Baseline, Snapshot
from pytest_connproof.subject import Settings, Subject

__all__ = ["NoBaseline", "take"]

_LAST_LINES: Final = 10
_SHORTEST_SECRET: Final = 12  # of what the environment calls one: a shorter text may stand anywhere
_SECRET: Final = frozenset({"strong", "weak", "credential"})
_NAMED: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class NoBaseline(ConnproofError):
    """What the old code did cannot be a baseline, or is not the one that is stored."""


def take(
    connector: str,
    resource: str,
    command: Sequence[str],
    *,
    env: Sequence[str] = (),
    code: Sequence[Path] = (),
    also: Sequence[str] = (),
    ignored: Sequence[str] = (),
    timeout_s: float,
    replace_stored: bool,
) -> str:
    """Run the old code on a lane and store what it returned; what was done, in words.

    `env` are NAME=TEXT, with words of the account in braces. Raises NoBaseline, where nothing was written; CallWrong,
    RecordingUnfit, ConfigWrong.
    """
    subject = subject_named(connector, Settings(as_of=datetime.now(UTC).date()))
    lane, *others = (subject.lanes[lane_named(subject, name)].lane for name in (resource, *also))
    paths = tuple(code) or code_among(command)
    by = Baseline("old code", shown_command(command), commit=commit_of(paths), digest=digest_of(paths))
    inherited = tuple(_secrets_of(os.environ))
    party = subject.party(lane)
    served = Served(party, lane, also=others, ignored=ignored, secrets=inherited)
    ran = _ran(served, party.account, command, env, timeout_s)
    records = _records(ran, served, is_list=subject.operation(lane).is_list)
    _from_recordings(served)
    taken = subject.snapshot_of(lane.id, by, "complete", served.requests, records)
    _without_secrets(taken, {*inherited, *served.bound} - {*credentials_of(party.account)})
    said = _stored(subject, taken, replace_stored=replace_stored)
    from_commit = {"commit": by.commit} if by.commit else {}
    facts = {"records": str(len(records)), "by": by.by, **from_commit, **served.facts()}
    return f"{subject.snapshots.path(lane.id)}  {said}\n{rows(facts)}"


# Running it.


def _ran(served: Served, account: Account, command: Sequence[str], env: Sequence[str], timeout_s: float) -> Ran:
    """The old code, run to its end with success. Raises NoBaseline."""
    with TemporaryDirectory(prefix="connproof-") as name:
        folder = Path(name)
        authority = Authority(folder)
        with LoopbackServer(served.answer, authority) as server:
            served.home, served.distrusted = server.url, server.distrusted
            words = {**_words(account), "base_url": served.base_url_at_home, "origin": served.home}
            environment = {**_own_variables(words), **leading_to(server.url, authority.certificate)}
            environment |= dict(_filled(text, words) for text in env)
            try:
                ran = run(command, environment=environment, timeout_s=timeout_s, folder=folder)
            except RanTooLong as late:
                raise NoBaseline(
                    f"the old code was ended after {timeout_s:g} s",
                    facts={**_said(late.stderr, served), **served.facts()},
                    fix="give it more time with --timeout, or see what it waits for",
                ) from None
    if ran.code != 0:
        how = f"with exit code {ran.code}" if ran.code > 0 else f"by signal {-ran.code}"
        raise NoBaseline(
            f"the old code ended {how}",
            facts={**_said(ran.stderr, served), **served.facts()},
            fix="mend what it stumbles over; what a run like this prints is no baseline",
        )
    return ran


def _words(account: Account) -> dict[str, str]:
    """The account's texts, by the names that a config has for them; deeper ones by their paths."""

    def gather(value: JsonValue, path: str) -> Iterator[tuple[str, str]]:
        if isinstance(value, str):
            yield path, value
        elif isinstance(value, dict):
            for name, inner in value.items():
                yield from gather(inner, f"{path}.{name}" if path else name)

    return {**dict(gather(dict(account.credentials), "")), **account.variables}


def _own_variables(words: Mapping[str, str]) -> dict[str, str]:
    """CONNPROOF_BASE_URL, CONNPROOF_ACCESS_TOKEN ...: each word by its name in capitals."""
    return {f"CONNPROOF_{re.sub('[^A-Za-z0-9]+', '_', name).upper()}": text for name, text in words.items()}


def _filled(said: str, words: Mapping[str, str]) -> tuple[str, str]:
    """NAME=TEXT as a variable, with the words in braces filled in. Raises CallWrong."""
    name, found, text = said.partition("=")
    if not found or not _NAMED.fullmatch(name):
        raise CallWrong("a value of --env is not NAME=TEXT")  # and is not shown: it may hold a credential
    unknown = [word for word in config.CREDENTIALS.findall(text) if word not in words]
    if unknown:
        raise CallWrong(
            f"--env {name}: there is no {unknown[0]} to fill in",
            facts={"there are": ", ".join(words)},
            fix="add it to the connector's accounts/example.json, or name another",
        )
    return name, config.CREDENTIALS.sub(lambda word: words[word[1]], text)


# What came of it.


def _records(ran: Ran, served: Served, *, is_list: bool) -> tuple[JsonValue, ...]:
    """The records that were printed. Raises NoBaseline."""
    wanted = "a JSON list of objects" if is_list else "a JSON object, or a list of objects"
    facts = {**_said(ran.stderr, served), **served.facts()}
    if not ran.stdout.strip():
        raise NoBaseline("the old code printed nothing on stdout", facts=facts, fix=f"have it print {wanted}")
    try:
        document, source = read_json(ran.stdout, "stdout")
    except ConfigWrong as wrong:
        begins = _scrubbed(ran.stdout[:80].decode("utf-8", "replace"), served)
        raise NoBaseline(
            "the old code's stdout is no JSON",
            facts={"seen": tuple(str(problem) for problem in wrong.problems[:3]), "begins": begins, **facts},
            fix=f"have it print {wanted} and nothing else; what is for people goes to stderr",
        ) from None
    found = [document] if isinstance(document, dict) and not is_list else document
    if not isinstance(found, list):
        raise NoBaseline(f"the old code printed {_kind(document)}, not {wanted}", facts=facts, fix=f"print {wanted}")
    for index, record in enumerate(found):
        if not isinstance(record, dict):
            at = f"element {index} (line {source.line(child('', index))})"
            raise NoBaseline(
                f"{at} of what the old code printed is {_kind(record)}", facts=facts, fix=f"have it print {wanted}"
            )
    return tuple(found)


def _kind(value: JsonValue) -> str:
    """What a JSON value is, in words."""
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, str):
        return "a text"
    return "null" if value is None else "a boolean" if isinstance(value, bool) else "a number"


def _from_recordings(served: Served) -> None:
    """Refuse what rests on anything but recorded answers. Raises NoBaseline."""
    if served.unmatched:
        raise NoBaseline(
            f"the old code made {counted(len(served.unmatched), 'request')} that no recording holds",
            facts=served.facts(),
            fix="record or import that traffic; --also names a further lane, --ignore-header a header not to compare",
        )
    if not served.tally.used:
        raise NoBaseline(
            "the old code asked for nothing that is recorded, so what it printed comes from elsewhere",
            facts=served.facts(),
            fix="point it at CONNPROOF_BASE_URL, or have its HTTP client use the proxy of HTTPS_PROXY",
        )


def _without_secrets(taken: Snapshot, secrets: Collection[str]) -> None:
    """Raises NoBaseline for records, or a command, that hold a credential."""
    scrubber = Scrubber(secret for secret in secrets if len(secret) >= _SHORTEST_SECRET)
    if scrubber.text(taken.baseline.by) != taken.baseline.by:
        raise NoBaseline("the command holds a credential, and would be stored", fix="give it to the old code by --env")
    for index, record in enumerate(taken.records):
        text = json.dumps(record, ensure_ascii=False)
        if scrubber.text(text) != text:
            raise NoBaseline(
                f"record {index} that the old code printed holds a credential",
                fix="leave it out of what is printed; or run it with the example account's credentials",
            )


def _stored(subject: Subject, taken: Snapshot, *, replace_stored: bool) -> str:
    """Store what was taken, unless it is there; what was done. Raises NoBaseline where another is there."""
    before = subject.snapshots.read(taken.lane)
    if before is None:
        subject.snapshots.write(taken)
        return "written: review it as you would code"
    # The commit alone may be another: the same code is the same at each.
    if _text(replace(before, baseline=replace(before.baseline, commit=taken.baseline.commit))) == _text(taken):
        return "unchanged: the old code returns it again"
    if replace_stored:
        subject.snapshots.write(taken)
        return f"replaced: it was {_whose(before)}"
    raise NoBaseline(
        f"{subject.snapshots.path(taken.lane)} is there already, and differs",
        facts={"it is": _whose(before), "differs in": tuple(_differences(before, taken))},
        fix="pass --replace to put what the old code returns now in its place",
    )


def _text(snapshot: Snapshot) -> str:
    return json.dumps(snapshot.document())  # 1, 1.0 and true are equal to Python alone


def _whose(snapshot: Snapshot) -> str:
    return f"{snapshot.baseline.kind} ({snapshot.baseline.by})"


def _differences(before: Snapshot, taken: Snapshot) -> Iterator[str]:
    """The parts of two snapshots that are not the same."""
    differences = compare(before.records, taken.records, key=taken.key).differences
    if before.records and taken.records and not differences and _differ(before.records, taken.records):
        yield "the records: in the order of their members alone"
    elif _differ(before.records, taken.records):
        differing = f"{counted(len(differences), 'difference')} of members"
        yield f"the records: {len(before.records)} there, {len(taken.records)} now; {differing}"
    if before.requests != taken.requests:
        yield f"the requests: {len(before.requests)} there, {len(taken.requests)} now"
    if before.outcome != taken.outcome:
        yield f"how it ended: {before.outcome} there, {taken.outcome} now"
    if (before.model, before.key) != (taken.model, taken.key):
        yield "the model or its key, which the config says"
    if replace(before.baseline, commit=None) != replace(taken.baseline, commit=None):
        yield "who returned it: the command or the code"


def _differ(one: Sequence[JsonValue], other: Sequence[JsonValue]) -> bool:
    return json.dumps(one) != json.dumps(other)


# What is shown.


def _said(stderr: bytes, served: Served) -> dict[str, Fact]:
    """The last lines of what was said on stderr, without credentials."""
    lines = [line for line in stderr.decode("utf-8", "replace").splitlines() if line.strip()]
    return {"it said": tuple(_scrubbed(line, served) for line in lines[-_LAST_LINES:]) or "nothing"}


def _scrubbed(text: str, served: Served) -> str:
    return Scrubber(served.secrets).text(text[:2_000])


def _secrets_of(environment: Mapping[str, str]) -> Iterator[str]:
    """The credentials that the caller's environment holds, by its names: the old code may use them."""
    for name, text in environment.items():
        if len(text) >= _SHORTEST_SECRET and slot_of(name, Policy(), "member").kind in _SECRET:
            yield text
