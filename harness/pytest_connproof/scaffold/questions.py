"""Every question that `connproof new` asks, in one table: each is a prompt on a terminal and an option of the command.

What is asked depends on earlier answers alone. An answer is judged by the language itself: it is written into a config
in which everything that is not answered yet has a harmless stand-in, so that whatever is wrong then is wrong with the
answer.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from connproof.auth import SCHEMES
from connproof.config import parse
from connproof.errors import ConfigWrong
from connproof.pagination import STRATEGIES
from connproof.places import Place
from connproof.schemas import nearest
from pytest_connproof.scaffold import faults
from pytest_connproof.scaffold.document import Answers, connector_of, default_prefix
from pytest_connproof.scaffold.faults import Context
from pytest_connproof.scaffold.sample import Sample

__all__ = ["QUESTIONS", "Question", "fault_of"]

_AUTHS: Final = tuple(SCHEMES)
_PAGINATIONS: Final = tuple(STRATEGIES)
_GRANTS: Final = ("refresh_token", "client_credentials", "jwt_bearer")
_CLIENT_AUTHS: Final = ("basic", "body", "id_only", "private_key_jwt", "bearer_jwt", "none")
_ALGORITHMS: Final = ("RS256", "PS256", "ES256", "HS256")

Proposal: TypeAlias = Callable[[Context], str | None]
Check: TypeAlias = Callable[[str, Context], str | None]


@dataclass(frozen=True, slots=True)
class Question:
    """One question. `stand_in` is an answer that is always right, for drafts in which it is not answered yet.

    `proposes` gives what Enter takes: None where it has to be answered, "" where it may be left out. `asked_if` names
    earlier questions, and which answers to one of them make this one asked; () is any. `checks` says what is wrong and
    what to do, before the language is asked.
    """

    name: str
    asks: str
    stand_in: str
    choices: tuple[str, ...] = ()
    metavar: str = "TEXT"
    proposes: Proposal = lambda _: None
    from_sample: bool = False
    keeps_spaces: bool = False
    asked_if: tuple[tuple[str, tuple[str, ...]], ...] = ()
    checks: Check = lambda _text, _context: None

    @property
    def flag(self) -> str:
        """The option that answers it; the connector's name is an argument."""
        return f"--{self.name.replace('_', '-')}" if self.metavar != "CONNECTOR" else self.metavar

    def applies(self, answers: Answers) -> bool:
        """Whether it is asked after these answers."""
        return not self.asked_if or any(
            answers.get(name, "") in words if words else bool(answers.get(name)) for name, words in self.asked_if
        )

    @property
    def condition(self) -> str:
        """With which options it says something."""
        ways = [f"--{name.replace('_', '-')} {' or '.join(words)}".rstrip() for name, words in self.asked_if]
        return " or ".join(ways)


def _fixed(text: str) -> Proposal:
    return lambda _: text


_OPTIONAL: Final = _fixed("")


# What a sample tells.


def _from(look: Callable[[Sample, Answers], str | None], otherwise: str | None = None) -> Proposal:
    def proposed(context: Context) -> str | None:
        found = look(context.sample, context.answers) if context.sample else None
        return otherwise if found is None else found

    return proposed


def _pagination_of(sample: Sample, answers: Answers) -> str | None:
    at = answers["response_path"]
    # Where an answer has both, the cursor says the same and leaves the request's own parameters in the config's hands.
    return "cursor" if sample.cursor_field(at) else "next_url" if sample.next_url_field(at) else None


def _named_as_its_place(context: Context) -> str | None:
    """Nothing needs to be said where the place of the cursor ends in a name."""
    return "" if Place.parse(context.answers["cursor_field"]).last_name else None


_OAUTH2: Final = (("auth", ("oauth2",)),)
_SESSION: Final = (("auth", ("session",)),)
_PAGED: Final = (("pagination", tuple(kind for kind in _PAGINATIONS if kind != "none")),)

QUESTIONS: Final[tuple[Question, ...]] = (
    Question(
        "connector", "Name of the connector, which is its folder's", "new", metavar="CONNECTOR", checks=faults.name
    ),
    Question(
        "base_url",
        "Base URL; what differs between accounts stands in braces",
        "https://api.example.com",
        metavar="URL",
        checks=faults.url,
    ),
    Question("auth", "How a request says on whose behalf it is", "none", _AUTHS, metavar="TYPE"),
    Question(
        "key_in", "Where the key is sent", "header", ("header", "query"), "PLACE", asked_if=(("auth", ("api_key",)),)
    ),
    Question(
        "key_name",
        "Name of the header or the parameter that holds the key",
        "X-Stand-In",
        metavar="NAME",
        asked_if=(("auth", ("api_key",)),),
    ),
    Question(
        "username",
        "User name; what stands in braces comes from the account's credentials",
        "{username}",
        proposes=_fixed("{username}"),
        checks=faults.side,
        asked_if=(("auth", ("basic",)),),
    ),
    Question(
        "password",
        "Password, likewise",
        "{password}",
        proposes=_fixed("{password}"),
        checks=faults.side,
        asked_if=(("auth", ("basic",)),),
    ),
    Question(
        "token_url",
        "URL of the token endpoint",
        "https://id.example.com/token",
        metavar="URL",
        checks=faults.url,
        asked_if=_OAUTH2,
    ),
    Question(
        "grant",
        "Grant by which a token is asked for",
        "refresh_token",
        _GRANTS,
        proposes=_fixed("refresh_token"),
        asked_if=_OAUTH2,
    ),
    Question("client_auth", "How the client says who it is", "body", _CLIENT_AUTHS, "WAY", asked_if=_OAUTH2),
    Question(
        "jwt_algorithm",
        "How the assertion is signed",
        "RS256",
        _ALGORITHMS,
        "NAME",
        asked_if=(("grant", ("jwt_bearer",)), ("client_auth", ("private_key_jwt", "bearer_jwt"))),
    ),
    Question("scope", "Scope that is asked for (Enter: none)", "", proposes=_OPTIONAL, asked_if=_OAUTH2),
    Question(
        "realm", "Realm in the OAuth 1 header (Enter: none)", "", proposes=_OPTIONAL, asked_if=(("auth", ("oauth1",)),)
    ),
    Question(
        "session_header",
        "Name of the header that holds the session's token",
        "X-Stand-In",
        metavar="NAME",
        asked_if=_SESSION,
    ),
    Question(
        "login_url",
        "URL of the login",
        "https://id.example.com/login",
        metavar="URL",
        checks=faults.url,
        asked_if=_SESSION,
    ),
    Question(
        "login_params",
        "Parameters of the login, with commas between",
        "username",
        metavar="NAMES",
        checks=faults.params,
        asked_if=_SESSION,
    ),
    Question(
        "login_encode",
        "How the login sends them",
        "form",
        ("form", "json"),
        "WAY",
        proposes=_fixed("form"),
        asked_if=_SESSION,
    ),
    Question(
        "login_token",
        "Where the token stands in the login's answer",
        "access_token",
        metavar="PATH",
        proposes=_fixed("access_token"),
        asked_if=_SESSION,
    ),
    Question(
        "prefix",
        "What stands before the credential, its space included; a space alone is nothing",
        "",
        proposes=lambda context: default_prefix(context.answers),
        keeps_spaces=True,
        asked_if=(("auth", ("api_key", "bearer", "oauth2", "session")),),
    ),
    Question(
        "resource",
        "Name of a resource that is listed, such as contacts",
        "rows",
        metavar="NAME",
        checks=faults.resource,
    ),
    Question("path", "Path of its listing, below the base URL", "/rows", metavar="PATH", checks=faults.path),
    Question(
        "sample",
        "File with the JSON of one answer of the listing, to propose from (Enter: none)",
        "",
        metavar="FILE",
        proposes=_OPTIONAL,
        checks=faults.sample,
    ),
    Question(
        "response_path",
        "Where the records stand in an answer; $ where it is the list itself",
        "$",
        metavar="PATH",
        proposes=_from(lambda sample, _: sample.response_path()),
        from_sample=True,
        checks=faults.response_path,
    ),
    Question(
        "key",
        "What identifies a record: where its id stands in it (Enter: not known)",
        "",
        metavar="PATH",
        proposes=_from(lambda sample, answers: sample.key(answers["response_path"]), ""),
        from_sample=True,
        checks=faults.key,
    ),
    Question(
        "pagination",
        "How one page leads to the next",
        "none",
        _PAGINATIONS,
        "TYPE",
        proposes=_from(_pagination_of),
        from_sample=True,
    ),
    Question(
        "cursor_field",
        "Where the cursor of the next page stands in an answer",
        "next",
        metavar="PATH",
        proposes=_from(lambda sample, answers: sample.cursor_field(answers["response_path"])),
        from_sample=True,
        asked_if=(("pagination", ("cursor",)),),
    ),
    Question(
        "cursor_param",
        "Query parameter that sends the cursor back (Enter: the last name of its place)",
        "cursor",
        metavar="NAME",
        proposes=_named_as_its_place,
        asked_if=(("pagination", ("cursor",)),),
    ),
    Question(
        "offset_param",
        "Query parameter that counts records",
        "offset",
        metavar="NAME",
        asked_if=(("pagination", ("offset",)),),
    ),
    Question(
        "page_param", "Query parameter that counts pages", "page", metavar="NAME", asked_if=(("pagination", ("page",)),)
    ),
    Question(
        "first_page",
        "Number of the first page",
        "1",
        metavar="NUMBER",
        proposes=_fixed("1"),
        checks=faults.number,
        asked_if=(("pagination", ("page",)),),
    ),
    Question(
        "link_rel",
        "Relation of the next page in the Link header",
        "next",
        metavar="NAME",
        proposes=_fixed("next"),
        asked_if=(("pagination", ("link_header",)),),
    ),
    Question(
        "next_url_field",
        "Where the URL of the next page stands in an answer",
        "next",
        metavar="PATH",
        proposes=_from(lambda sample, answers: sample.next_url_field(answers["response_path"])),
        from_sample=True,
        asked_if=(("pagination", ("next_url",)),),
    ),
    Question(
        "keyset_field",
        "Where the key that the next request names stands in a record",
        "id",
        metavar="PATH",
        proposes=lambda context: context.answers["key"] or None,
        asked_if=(("pagination", ("keyset",)),),
    ),
    Question(
        "keyset_param",
        "Query parameter that names it",
        "after",
        metavar="NAME",
        asked_if=(("pagination", ("keyset",)),),
    ),
    Question(
        "page_size_param",
        "Query parameter that asks for a page size (Enter: none)",
        "",
        metavar="NAME",
        proposes=_OPTIONAL,
        asked_if=_PAGED,
    ),
    Question(
        "page_size",
        "Records a page that are asked for",
        "1",
        metavar="NUMBER",
        checks=faults.page_size,
        asked_if=(("page_size_param", ()),),
    ),
    Question(
        "get_path",
        "Path of one record, its id in braces, such as /rows/{id} (Enter: none)",
        "",
        metavar="PATH",
        proposes=_OPTIONAL,
        checks=faults.optional_path,
    ),
    Question(
        "get_response_path",
        "Where the record stands in that answer; $ where it is the record itself",
        "$",
        metavar="PATH",
        asked_if=(("get_path", ()),),
    ),
    Question(
        "model",
        "Unified model that its records become, such as crm.contact (Enter: none)",
        "",
        metavar="MODEL",
        proposes=_OPTIONAL,
        checks=faults.model,
    ),
)


def fault_of(question: Question, text: str, context: Context) -> str | None:
    """What is wrong with an answer after those before it, and what to do; None where nothing is."""
    if question.choices and text not in question.choices:
        return f'"{text}" is none of them: {nearest(text, question.choices)}'
    if wrong := question.checks(text, context):
        return wrong
    draft = {**context.answers, question.name: text}
    for other in QUESTIONS:
        if other.name not in draft and other.applies(draft):
            draft[other.name] = other.stand_in
    fields = {"id": "id"} if draft["model"] else {}
    try:
        parse(json.dumps(connector_of(draft, fields)).encode(), folder=draft["connector"])
    except ConfigWrong as refused:
        problem = refused.problems[0]
        return f"{problem.message} ({problem.hint})" if problem.hint else problem.message
    return None
