"""Every recording of the corpus is read wholly, or stands here with the reason why it is not.

How many exchanges a source has is what the corpus' own README says of it, and what a naive
count of its files gives. Neither is taken from the readers that are held to it.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest
import yaml

import formats
from listings import ABSENT, CORPUS
from pytest_connproof.foreign import ForeignUnreadable, Tape

pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason=ABSENT)

READABLE = {
    "betamax": "betamax",
    "nango": "nango",
    "octokit-fx": "octokit",
    "ruby-vcr": "ruby-vcr",
    "vcrpy": "vcrpy",
}
ROW = re.compile(r"^\| (\S+) \|.*?\b(\d+) full exchanges \((" + "|".join(READABLE) + r")[,)]", re.MULTILINE)

# Exchanges that the README counts in files that are not in the folder: SOURCE.json names more files than there are.
NOT_THERE = {"google/gspread-history": 97, "mastodon/Mastodon.py": 26}

# Files that are refused, by the reason, with what is wrong with them.
REFUSED: dict[str, dict[str, int]] = {
    "jira/active_project": {
        "'recorded_with' stands there a second time": 1,  # edited by hand: two values for one key
    },
    "stripe/pay": {
        "is stored compressed, and damaged": 10,  # its redaction replaced digits inside gzip streams
    },
    "salesforce/CumulusCI": {
        # Not vcrpy but a language of its own above it: `include_file`, and single exchanges to be included.
        'has no "request"': 19,
        "no known tool writes such a file": 4,
        "Response-Headers is a mapping, not a text": 4,  # headers grouped by hand
    },
}

BASE = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
PLACEHOLDER = re.compile(rb"<[A-Z_]+>")


def stated() -> list[tuple[str, int, str]]:
    """Source, exchanges and format, from the table of the corpus' README."""
    if not CORPUS.is_dir():
        return []
    rows = ROW.findall((CORPUS / "README.md").read_text(encoding="utf-8"))
    return [(source, int(count), READABLE[name]) for source, count, name in rows]


COUNTS = [pytest.param(source, count, id=source) for source, count, _ in stated()]
FORMATS = [pytest.param(source, name, id=source) for source, _, name in stated()]
SOURCES = [source for source, _, _ in stated()]


def recordings(source: str) -> list[Path]:
    found = sorted(path for path in (CORPUS / source).rglob("*") if path.suffix in {".json", ".yaml", ".yml"})
    return [path for path in found if path.name != "SOURCE.json"]


@cache
def read_all(source: str) -> tuple[list[Tape], list[ForeignUnreadable]]:
    tapes: list[Tape] = []
    refusals: list[ForeignUnreadable] = []
    for path in recordings(source):
        try:
            tapes.append(formats.read(path))
        except ForeignUnreadable as refusal:
            refusals.append(refusal)
    return tapes, refusals


def counted(path: Path) -> int:
    """How many exchanges a file seems to hold, with a parser that knows no tags and takes whatever comes."""
    text = path.read_bytes()
    document = json.loads(text) if path.suffix == ".json" else yaml.load(text, Loader=BASE)
    if isinstance(document, list):
        return len(document)
    if "api" in document:
        entries = [entry for paths in document["api"].values() for entry in paths.values()]
        return sum(len(entry) if isinstance(entry, list) else 1 for entry in entries)
    return len(document.get("http_interactions", document.get("interactions", [])))


def test_the_table_is_found() -> None:
    """The README still says how many exchanges there are: every format, and no source twice."""
    rows = stated()

    assert set(READABLE.values()) == {name for _, _, name in rows}
    assert len(rows) == len({source for source, _, _ in rows}) >= 30


@pytest.mark.parametrize(("source", "name"), FORMATS)
def test_every_file_is_read_or_explained(source: str, name: str) -> None:
    """What is not read is refused for a reason that stands in the table above; no file is read as another format."""
    tapes, refusals = read_all(source)
    expected = REFUSED.get(source, {})

    reasons = Counter(
        next((reason for reason in expected if reason in refusal.what), str(refusal)) for refusal in refusals
    )

    assert expected == dict(reasons)
    assert {name} == {tape.format for tape in tapes}


@pytest.mark.parametrize(("source", "count"), COUNTS)
def test_every_exchange_is_there(source: str, count: int) -> None:
    """Each file gives as many exchanges as it holds, and all of them together are those that the README states."""
    tapes, refusals = read_all(source)

    assert {tape.path: counted(tape.path) for tape in tapes} == {tape.path: len(tape.exchanges) for tape in tapes}
    in_refused = sum(counted(refusal.path) for refusal in refusals)
    assert count == sum(len(tape.exchanges) for tape in tapes) + in_refused + NOT_THERE.get(source, 0)


@pytest.mark.parametrize("source", SOURCES)
def test_every_json_body_is_json(source: str) -> None:
    """No body is left compressed, in base64 or in a wrong charset: all that is called JSON parses.

    Placeholders that a source's redaction put where numbers stood are taken as numbers.
    """
    tapes, _ = read_all(source)
    bodies = [
        taped.response.body
        for tape in tapes
        for taped in tape.exchanges
        if "json" in (taped.response.header("content-type") or "") and taped.response.body.strip()
    ]

    wrong = [body[:80] for body in bodies if not is_json(PLACEHOLDER.sub(b"1", body))]

    assert [] == wrong


def is_json(body: bytes) -> bool:
    try:
        json.loads(body.decode("utf-8"))
    except ValueError:
        return False
    return True


@pytest.mark.parametrize("source", SOURCES)
def test_no_framing_is_left(source: str) -> None:
    """Bodies are whole and decoded, so no header speaks of length, chunks or compression any more."""
    tapes, _ = read_all(source)
    names = {name for tape in tapes for taped in tape.exchanges for name, _ in taped.response.headers}

    assert set() == names & {"content-encoding", "content-length", "transfer-encoding"}
    assert names == {name.lower() for name in names}


def test_bodies_without_requests_are_no_recordings() -> None:
    """Files that hold bare answers are refused, however much they look like JSON or YAML."""
    tapes, refusals = read_all("salesforce/restforce")

    assert ([], 33) == (tapes, len(refusals))
