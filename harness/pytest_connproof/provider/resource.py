"""A simulated API behind the tokens: records for a live access token, the provider's own refusal for any other.

The refusal is one that the connector's rules read as an expired access token, where a rule says what that looks
like; without such a rule it is a 401.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from connproof.model import Connector, ErrorRule, Operation, Request, Response, Trait, XmlFormat
from connproof.outcome import judged
from connproof.places import ABSENT, Absent, JsonValue
from pytest_connproof.provider.authorization import AuthorizationServer
from pytest_connproof.provider.writing import Form, answered, at_places, dated, placed

__all__ = ["Resource", "expired_answer", "page_of"]

_ESCAPED = re.compile(r"\\(.)")


class Resource:
    """The API of one connector, for one operation's requests.

    `records` are what every live request gets, in one page; `serve` answers such requests instead. While
    `refuses_all` is set no token is good, however alive.
    """

    def __init__(
        self,
        connector: Connector,
        operation: Operation,
        records: Sequence[JsonValue] = ({"id": "1"},),
        *,
        serve: Callable[[Request], Response] | None = None,
    ) -> None:
        self._page = page_of(operation, records)
        self._serve = serve or (lambda _: self._page)
        self._expired = expired_answer(connector, operation)
        self.refuses_all = False

    def answer(self, server: AuthorizationServer, request: Request, now: float, *, who: str = "") -> Response:
        """What the API answers at `now`; the request is in the server's `served`."""
        alive = server.serves(request, now, who=who)
        said = self._serve(request) if alive and not self.refuses_all else self._expired
        return Response(said.status, (*said.headers, dated(now)), said.body)


def page_of(operation: Operation, records: Sequence[JsonValue]) -> Response:
    """One page with these records, or the first of them for an operation that gives one."""
    form: Form = "xml" if isinstance(operation.decode, XmlFormat) else "json"
    found: JsonValue = list(records) if operation.is_list else records[0]
    place = operation.response_path
    return answered(found if place is None else placed({}, place, found), form=form)


def expired_answer(connector: Connector, operation: Operation) -> Response:
    """The answer that the connector's rules read as an expired access token; a bare 401 where none can be written."""
    rules = connector.rules_for(operation)
    for rule in rules:
        if rule.means == "auth_expired":
            for response, document in _alike(rule):
                if judged(response, document, rules).meaning == "auth_expired":
                    return response
    return answered({"error": "unauthorized"}, ("www-authenticate", "Bearer"), status=401)


def _alike(rule: ErrorRule) -> Iterator[tuple[Response, JsonValue]]:
    """Answers for which a rule should hold, as far as its condition says what they look like."""
    when = rule.when
    values = [(place, _fitting(trait)) for place, trait in when.body]
    headers = [(name, _fitting(trait)) for name, trait in when.headers]
    document, named = at_places([*values, *headers])
    for status in when.statuses or (401, 200):
        code = status if isinstance(status, int) else int(status[0]) * 100
        if when.text is not None:
            words = _literal(when.text)
            yield Response(code, (("content-type", "text/plain"), *named), words.encode()), words
        else:
            yield answered(document, *named, status=code), document


def _fitting(trait: Trait) -> JsonValue | Absent:
    """A value that is what a trait says, where that can be told from it."""
    if trait.equals:
        return trait.equals[0]
    if trait.matches is not None:
        return _literal(trait.matches)
    return ABSENT if trait.present is False or trait.blank is True else "x"


def _literal(pattern: str) -> str:
    """The text that a pattern without alternatives or repetitions spells out."""
    return _ESCAPED.sub(r"\1", pattern.removeprefix("^").removesuffix("$"))
