"""Say what is wrong with an answer, and what to do, where the language would say it in words of the config.

None where nothing is. What is judged by what is there (a folder, a sample, a model) reads it, and changes nothing.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from connproof.config import CREDENTIALS
from connproof.errors import CallWrong, ConfigWrong
from connproof.mapping import load_model
from connproof.places import ABSENT, Place
from pytest_connproof.scaffold.document import Answers
from pytest_connproof.scaffold.sample import Sample, as_expression, read_sample

__all__ = [
    "CONNECTORS",
    "MODELS",
    "Context",
    "key",
    "mapped_fields",
    "model",
    "name",
    "number",
    "optional_path",
    "page_size",
    "params",
    "path",
    "refuse_existing",
    "refuse_place",
    "resource",
    "response_path",
    "sample",
    "side",
    "url",
]

CONNECTORS: Final = Path("connectors")
_OF_THE_MODELS: Final = "unified"  # their folder, among those of the connectors
MODELS: Final = CONNECTORS / _OF_THE_MODELS

_MOST_SHOWN: Final = 10
_LONGEST: Final = 64  # no file system has names of any length
_NAME: Final = re.compile(rf"[a-z0-9][a-z0-9._-]{{0,{_LONGEST - 1}}}")


@dataclass(frozen=True, slots=True)
class Context:
    """What an answer may be told from: those before it, and the sample where one is given."""

    answers: Answers
    sample: Sample | None = None


def name(text: str, _: Context) -> str | None:
    if _NAME.fullmatch(text) is None:
        last = text.rstrip("/").rpartition("/")[2]
        near = re.sub(r"[^a-z0-9._-]+", "-", last.lower())[:_LONGEST].strip("-._")
        return (
            f'"{text}": a connector is named in small letters, digits and . _ -, {_LONGEST} at most, '
            "and is written to connectors/NAME"
            f"{f': say {near}' if near else ''}"
        )
    if text == _OF_THE_MODELS:
        return f"{MODELS} is the folder of the unified models: choose another name"
    try:
        refuse_existing(CONNECTORS / text)
    except CallWrong as there:
        return f"{there.what}: {', '.join(there.facts['there'])}; {there.fix}"
    return None


def url(text: str, _: Context) -> str | None:
    if "://" not in text:
        # What stands before an @ may be a password.
        return f"a URL begins with its scheme: https://{text.rpartition('@')[2].lstrip('/')}"
    if "{api_version}" in text:
        return 'write the version itself, such as v1; "api_version" is declared in connector.json afterwards'
    return None


def path(text: str, _: Context) -> str | None:
    if "://" in text:
        return "it is appended to the base URL: give what comes after that"
    if "?" in text:
        return f'parameters stand under "query" in connector.json, not here: {text.partition("?")[0]}'
    return None if text.startswith("/") else f"a path begins with a slash: /{text}"


def optional_path(text: str, context: Context) -> str | None:
    return path(text, context) if text else None


def resource(text: str, _: Context) -> str | None:
    if re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]*", text) is None:
        return f'"{text}": a resource is named in letters, digits, _ and -, beginning with a letter: contacts'
    return None


def number(text: str, _: Context) -> str | None:
    return None if re.fullmatch(r"[0-9]{1,9}", text) else f'"{text}" is no whole number'


def page_size(text: str, context: Context) -> str | None:
    return number(text, context) or ("a page has at least one record" if int(text) == 0 else None)


def side(text: str, context: Context) -> str | None:
    """Of a user name, and of a password after it."""
    if text and not CREDENTIALS.search(text):
        return (
            "a credential stands in the account, not in the config: name it in braces, such as {api_key}; "
            "a word that every account sends is written into connector.json afterwards"
        )
    named = CREDENTIALS.findall(f"{context.answers.get('username', '')} {text}")
    inside = ((one, other) for one in named for other in named if other.startswith(f"{one}."))
    if both := next(inside, None):
        return "{{{}}} is a text, so that {{{}}} cannot stand inside it: name one of them otherwise".format(*both)
    return None


def params(text: str, _: Context) -> str | None:
    names = [name.strip() for name in text.split(",")]
    if not all(re.fullmatch(r"[A-Za-z_][A-Za-z0-9_-]*", name) for name in names):
        return "name the parameters with commas between them, not their values: username,password"
    return "it names a parameter twice" if len(set(names)) < len(names) else None


def sample(text: str, _: Context) -> str | None:
    if not text:
        return None
    try:
        read_sample(Path(text))
    except CallWrong as wrong:
        return f"{wrong.what} ({wrong.fix})"
    return None


def response_path(text: str, context: Context) -> str | None:
    if context.sample is None or context.sample.records(text):
        return None
    return f"no list of records stands there in {context.sample.name}"


def key(text: str, context: Context) -> str | None:
    if not text or context.sample is None:
        return None
    records = context.sample.records(context.answers["response_path"])
    try:
        place = Place.parse(text)
    except ValueError as wrong:
        return str(wrong)
    without = (
        0 if place.is_many else sum(place.find(record) is ABSENT for record in records)
    )  # [*]: the language says so
    return f"{without} of {len(records)} records in {context.sample.name} have nothing at {text}" if without else None


def model(text: str, context: Context) -> str | None:
    if not text:
        return None
    try:
        schema = load_model(MODELS, text)
    except ConfigWrong as wrong:
        problem = wrong.problems[0]
        told = f"{problem.message} ({problem.hint})" if problem.hint else problem.message
        file = MODELS / f"{text.replace('.', '/')}.schema.json"
        return f"{told}; a model's JSON Schema is written by hand, as {file.as_posix()}, or leave --model out"
    if not context.answers["key"]:
        return "a unified record has an id: say with --key where it stands in a record"
    assert isinstance(schema, dict), "a model is an object"
    required = schema.get("required")
    fields = mapped_fields(text, context)
    if missing := [str(name) for name in required if name not in fields] if isinstance(required, list) else []:
        return (
            f"it requires {', '.join(missing)}, which nothing here gives: leave --model out, and write unified yourself"
        )
    return None


def refuse_place() -> None:
    """Raise CallWrong where no connector can be written, whatever its name and its answers are."""
    if CONNECTORS.exists() and not CONNECTORS.is_dir():
        raise CallWrong(f"{CONNECTORS} is a file here", fix="go where the folder of connectors is, or is to be")
    home = CONNECTORS if CONNECTORS.is_dir() else Path()
    if not os.access(home, os.W_OK | os.X_OK):
        raise CallWrong(
            f"nothing can be written in {home.absolute()}", fix="go where the folder of connectors is, or is to be"
        )


def refuse_existing(folder: Path) -> None:
    """Raise CallWrong, naming what is there, for a folder that a connector cannot be written to."""
    if not os.path.lexists(folder) or (folder.is_dir() and not folder.is_symlink() and not any(folder.iterdir())):
        return
    inside = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else ["a file"]
    shown = (*inside[:_MOST_SHOWN], f"{len(inside) - _MOST_SHOWN} more") if len(inside) > _MOST_SHOWN else inside
    raise CallWrong(
        f"{folder} is there already",
        facts={"there": tuple(shown) or ("an empty folder by a link",)},
        fix="choose another name, or move it away: nothing is overwritten",
    )


def mapped_fields(model: str, context: Context) -> dict[str, str]:
    """The fields of a model that can be told: its key from the resource's key, others by name from the sample."""
    schema = load_model(MODELS, model)
    assert isinstance(schema, dict), "a model is an object"
    properties = schema["properties"]
    assert isinstance(properties, dict), "its x-key names one of them"
    told = context.sample.fields(schema, context.answers["response_path"]) if context.sample else {}
    told[str(schema["x-key"])] = f"$id({as_expression(context.answers['key'])})"
    return {name: told[name] for name in properties if name in told}
