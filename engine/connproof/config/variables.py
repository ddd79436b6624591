"""Variables: what an account gives a value, where it may stand, and what it may never lead to."""

from __future__ import annotations

import json
from typing import Any, Final

from connproof.config.notes import BRACES, Notes
from connproof.documents import child
from connproof.model import Connector, Variable

__all__ = ["judge_variables", "read_variables", "with_samples"]

# What a value may not hold where it stands in the host: it would lead to another origin.
_LEADING_ELSEWHERE: Final = ("x/", "x?", "x#", "x\\", "x@x", "x\n")
# A pattern that lets one of these through pins no host at all.
_ANYWHERE: Final = ("https://anywhere.example", "https://known@anywhere.example", "http://x", "https://x/x?x")


def read_variables(said: dict[str, Any], notes: Notes) -> dict[str, Variable]:
    """The words of `variables`."""
    return {name: _variable(name, words, notes) for name, words in said.items()}


def _variable(name: str, said: dict[str, Any], notes: Notes) -> Variable:
    return Variable(
        name,
        said["pattern"],
        secret=said.get("secret", False),
        source=said.get("source", "account"),
        path=notes.one_place(said["path"], f"{child('/variables', name)}/path") if "path" in said else None,
        operation=said.get("operation"),
        in_host=said.get("in_host", "as_is"),
    )


def with_samples(base_url: str) -> str:
    """A base_url with something harmless in its braces; a name that it starts with stands for a whole origin."""
    return BRACES.sub(lambda found: "https://x" if found.start() == 0 else "x", base_url)


def judge_variables(connector: Connector, document: dict[str, Any], notes: Notes) -> None:
    """Note what is used nowhere, what base_url uses and nobody declares, and patterns that allow too much."""
    used = set(BRACES.findall(connector.base_url)) - {"api_version"}
    for name in sorted(used - connector.variables.keys()):
        notes.wrong("/base_url", f"{{{name}}} is not declared", "declare it under variables, with a pattern")
    everywhere = json.dumps({word: said for word, said in document.items() if word != "variables"})
    operations = {operation.id for operation in connector.operations()}
    for name, variable in connector.variables.items():
        pointer = child("/variables", name)
        if name == "api_version":
            notes.wrong(pointer, "is the version's own name", "call it something else")
        elif f"{{{name}}}" not in everywhere:
            notes.wrong(pointer, "is used nowhere", f"write {{{name}}} where it belongs, or leave it out")
        if variable.operation is not None and variable.operation not in operations:
            notes.wrong(f"{pointer}/operation", f'there is no operation "{variable.operation}"')
        if variable.secret and name not in _host_names(connector.base_url):
            notes.wrong(f"{pointer}/secret", "a secret stands in auth alone", "make it a credential, and name its path")
        for url in (connector.base_url, *(url for _, url in connector.auth.urls)):
            _pattern(variable, url, f"{pointer}/pattern", notes)


def _host_names(base_url: str) -> set[str]:
    """The names in braces in the host: part of the origin, which is compared and not logged as a path is."""
    return set(BRACES.findall(base_url.partition("//")[2].partition("/")[0] or base_url.partition("/")[0]))


def _pattern(variable: Variable, base_url: str, pointer: str, notes: Notes) -> None:
    pattern = notes.pattern(variable.pattern, pointer)
    if pattern is None:
        return
    if base_url.startswith(f"{{{variable.name}}}"):
        if through := [text for text in _ANYWHERE if pattern.fullmatch(text)]:
            notes.wrong(
                pointer,
                f"lets {through[0]!r} through, which is any origin",
                r"pin it: https://[a-z0-9-]+\.example\.com",
            )
        return
    host = base_url.partition("//")[2].partition("/")[0]
    through = [text for text in _LEADING_ELSEWHERE if pattern.fullmatch(text)]
    if f"{{{variable.name}}}" in host and through:
        notes.wrong(pointer, f"lets {through[0]!r} through, which leads to another origin", "allow less: [a-z0-9-]+")
