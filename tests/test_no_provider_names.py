"""A provider is data: its name stands in connectors/ and nowhere in the engine or the harness.

The first `if provider == ...` is how a generic engine ends, so not even a comment may name one.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

PROVIDERS = (
    "airtable",
    "bamboohr",
    "freshdesk",
    "github",
    "google",
    "greenhouse",
    "hubspot",
    "intercom",
    "jira",
    "marketo",
    "microsoft",
    "netsuite",
    "notion",
    "okta",
    "pipedrive",
    "quickbooks",
    "salesforce",
    "shopify",
    "slack",
    "stripe",
    "workday",
    "xero",
    "zendesk",
    "zoho",
)

# Connectors that the repository has are found by their folders, so that a new one needs no line above.
CONNECTORS = tuple(path.parent.name for path in sorted((ROOT / "connectors").glob("*/connector.json")))

# A whole word, in any case, where `_`, `-` and digits end a word and so does the next word of CamelCase.
# Some of the names are ordinary words: "notional" and "slacken" are not names.
NAMED = re.compile(
    "|".join(
        rf"(?<![A-Za-z])(?i:{name})(?![a-z])|(?<=[a-z]){name.capitalize()}(?![a-z])"
        for name in (re.sub("[-_ ]", "[-_ ]?", name) for name in sorted({*PROVIDERS, *CONNECTORS}))
    )
)

# Not the provider of a connector: a library, a CI service's variable for its summary file, a link to somebody's source.
ELSEWHERE = re.compile(r"google-re2|GITHUB_STEP_SUMMARY|https://(?:github\.com|[\w-]+\.github\.io)/")


FILES = [
    path.relative_to(ROOT).as_posix()
    for folder in ("engine", "harness")
    for path in sorted((ROOT / folder).rglob("*"))
    if path.is_file() and "__pycache__" not in path.parts
]


def _named(text: str) -> list[str]:
    return [found[0] for found in NAMED.finditer(ELSEWHERE.sub("", text))]


@pytest.mark.parametrize(
    "text",
    ["HubSpot", "hubspot_pager", "XeroPager", "# as SLACK does", "MyNotionAuth", "x-zoho-1", "https://api.github.com/"],
)
def test_a_name_is_seen(text: str) -> None:
    """Whichever way code spells a provider's name, it is found."""
    assert 1 == len(_named(text))


@pytest.mark.parametrize("text", ["a notional page", "slackening", "the greenhouses", "striped", "google-re2"])
def test_an_ordinary_word_is_not_a_name(text: str) -> None:
    """A longer word that begins like a name may be used."""
    assert [] == _named(text)


@pytest.mark.parametrize("name", FILES)
def test_file_names_no_provider(name: str) -> None:
    """What is special about a provider can be said in its connector.json, or the language lacks a word."""
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()

    named = [f"{name}:{number}: {word}" for number, line in enumerate(lines, 1) for word in _named(line)]

    assert [] == _named(name) + named
