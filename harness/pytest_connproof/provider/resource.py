"""A simulated API behind the tokens: records for a live access token, the provider's own refusal for any other.

The refusal is one that the connector's rules read as an expired access token, where a rule says what that looks
like; without such a rule it is a 401.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from connproof.model import Connector, Operation, Request, Response, XmlFormat
from connproof.places import JsonValue
from pytest_connproof.provider.authorization import AuthorizationServer
from pytest_connproof.provider.telling import answer_meaning
from pytest_connproof.provider.writing import Form, answered, dated, placed

__all__ = ["Resource", "page_of"]


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
        self._expired = answer_meaning(connector, operation, "auth_expired")
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
