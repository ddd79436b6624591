"""A recorded lane as its provider: requests that code of any language sends, answered from the lane's ledger.

The ledger is that of a replay in this process. What only the old code says of itself is not compared: headers that
no recorded request has. A token request that the lane does not hold is granted to whoever asks the config's endpoint;
what else no recording holds is refused, and told.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from connproof.auth.token_request import token_url
from connproof.documents import MAX_DEPTH, nests_deeper
from connproof.errors import CallWrong
from connproof.links import origin
from connproof.model import Headers, Request, Response
from connproof.places import ABSENT, JsonValue
from connproof.run.asking import Asking
from pytest_connproof.grants import grants_in
from pytest_connproof.lane_run import forms_of, shown_request
from pytest_connproof.provider.dialect import Dialect, Grant
from pytest_connproof.recording import Lane
from pytest_connproof.redact import policy_for
from pytest_connproof.redact.names import Slot, slot_of
from pytest_connproof.replay import Difference, Ledger, Miss, Tally, UnmatchedRequest
from pytest_connproof.spelling import CREDENTIAL
from pytest_connproof.subject import Party

__all__ = ["Served"]

# Neither a success, nor what clients send again.
_NOT_RECORDED: Final = Response(501, (("content-type", "text/plain"),), b"connproof: no recording holds this request\n")
_LINKS: Final = frozenset({"link", "location"})
_SECRET: Final = frozenset({"strong", "credential"})
# Before the index of an element or of one in a list; behind what says that it is an attribute, and its namespace.
_LAST_NAME: Final = re.compile(r"([^/@}\[\]]+)(?:\[\d+\]|(?:/\d+)*)$")
_SAYS_NOTHING: Final = ("(", "null", "true", "false")  # in words that something was not sent, or is hidden already
_SCHEME: Final = re.compile(r'"(?:Basic|Bearer|Digest|OAuth|Token) ', re.IGNORECASE)  # no part of the credential
_LIFETIME_S: Final = 3600
_NO_SECRET: Final = 3
_MOST_MISSES: Final = 8


@dataclass(frozen=True, slots=True)
class _Compared:
    """What of a request is compared: of its headers those that recorded requests have."""

    named: frozenset[str]

    def of(self, request: Request) -> Request:
        return replace(request, headers=tuple(self._headers(request)))

    def _headers(self, request: Request) -> Iterator[tuple[str, str]]:
        for name, value in request.headers:
            if name not in self.named or (name == "content-type" and not request.body):
                continue
            # UTF-8 is what JSON and forms are in anyway.
            is_plain = name == "content-type" and value.lower().replace(" ", "").endswith(";charset=utf-8")
            yield name, value.partition(";")[0].strip() if is_plain else value


class Served:
    """One lane, played to code of any language; exchanges of the lanes `also` may answer too.

    `home` is the URL of the server that asks: requests to it are meant for the origin of `base_url`. `distrusted` are
    the hosts in whose place that server was not believed. `ignored` are headers that are not compared. `secrets` are
    shown nowhere, nor is what was sent in place of a placeholder.
    """

    def __init__(
        self,
        party: Party,
        lane: Lane,
        *,
        also: Sequence[Lane] = (),
        ignored: Collection[str] = (),
        secrets: Sequence[str] = (),
    ) -> None:
        self.home = ""
        self.distrusted: Collection[str] = ()
        self.base_url = Asking(party.connector, party.account).base_url
        self.origin = origin(self.base_url)
        self.unmatched: list[UnmatchedRequest] = []
        self.tokens = 0
        self._party = party
        self._known = (*forms_of(party.connector.auth, party.account), *secrets)
        named = {name for one in (lane, *also) for exchange in one.exchanges for name, _ in exchange.request.headers}
        self._compared = _Compared(frozenset(named - {name.lower() for name in ignored}))
        self._ledgers = [
            Ledger(
                self._comparable(one),
                credentials=self._known,
                grants=[exchange.id for exchange in grants_in(party.connector, one)],
            )
            for one in (lane, *also)
        ]
        self._requests: list[Request] = []
        paging = party.operation(lane).pagination
        self._next = paging.next_url_field if paging and paging.type == "next_url" else None
        self._policy = policy_for(party.connector)
        try:
            self._dialect: Dialect | None = Dialect(party.connector.auth, party.account)
        except CallWrong:  # no token is asked for, or the example account cannot ask for one
            self._dialect = None

    def answer(self, request: Request) -> Response:
        """What the provider answered; 501 for what no recording holds."""
        is_at_home = bool(self.home) and request.url.startswith(f"{self.home}/")
        if is_at_home:
            request = self._meant(request)
        compared, missed = self._compared.of(request), []
        for ledger in self._ledgers:
            try:
                response = ledger.answer(compared)
            except UnmatchedRequest as unmatched:
                missed.append(unmatched)
                continue
            self._requests.append(compared)
            return self._leading_home(response) if is_at_home else response
        if (granted := self._granted(request)) is not None:
            self.tokens += 1
            return granted
        self.unmatched.append(missed[0])
        return _NOT_RECORDED

    @property
    def tally(self) -> Tally:
        """The account of the lane itself."""
        return self._ledgers[0].tally()

    @property
    def bound(self) -> tuple[str, ...]:
        """What was sent in place of the recordings' placeholders: the credentials that were really used."""
        return tuple(dict.fromkeys(text for ledger in self._ledgers for text in ledger.tally().bindings.values()))

    @property
    def secrets(self) -> tuple[str, ...]:
        """All that is shown nowhere; a text of three characters may stand anywhere, and is none."""
        return (*self._known, *(text for text in self.bound if len(text) > _NO_SECRET))

    @property
    def requests(self) -> tuple[str, ...]:
        """What was asked for and answered from recordings, in order, on a line each; no credential."""
        return tuple(shown_request(request, self.secrets) for request in self._requests)

    @property
    def base_url_at_home(self) -> str:
        """The config's base_url, at the server."""
        return self.home + self.base_url[len(self.origin) :]

    def facts(self) -> dict[str, tuple[str, ...]]:
        """The account, for people: what was used, what was not, and what no recording holds with the nearest."""
        tally = self.tally
        own = f"{len(tally.used)} used, {len(self.unmatched)} not recorded, {len(tally.unused)} not used"
        facts: dict[str, tuple[str, ...]] = {"ledger": (own,)}
        if tally.unused:
            facts["not used"] = tuple(exchange.id for exchange in tally.unused)
        if tally.out_of_turn:
            facts["before turn"] = tuple(use.exchange.id for use in tally.out_of_turn)
        if self.distrusted:
            facts["no trust"] = (f"{', '.join(sorted(self.distrusted))}: the authority of SSL_CERT_FILE was refused",)
        if self.tokens:
            facts["tokens"] = (f"{self.tokens} granted, as to the example account",)
        if self.unmatched:
            facts["not recorded"] = tuple(self._miss_lines())
        return facts

    def _comparable(self, lane: Lane) -> Lane:
        exchanges = (replace(one, request=self._compared.of(one.request)) for one in lane.exchanges)
        return replace(lane, exchanges=tuple(exchanges))

    def _leading_home(self, response: Response) -> Response:
        """The answer, the next page that it names being at the server too. Records stay as they are, URLs included."""
        there, here = f"{self.origin}/", f"{self.home}/"
        headers: Headers = tuple(
            (name, value.replace(there, here) if name.lower() in _LINKS else value) for name, value in response.headers
        )
        leads = self._next.find(_document(response.body)) if self._next else None
        body = response.body
        if isinstance(leads, str) and leads.startswith(there):
            moved = here + leads[len(there) :]
            body = body.replace(json.dumps(leads).encode(), json.dumps(moved).encode())
        return replace(response, headers=headers, body=body)

    def _meant(self, request: Request) -> Request:
        """What a request to the server is meant for: the config's token endpoint, or else the origin of base_url."""
        auth, account, path = self._party.connector.auth, self._party.account, request.url[len(self.home) :]
        if self._dialect is not None and auth.token is not None:
            endpoint = origin(token_url(auth, account, refreshing=auth.token.grant == "refresh_token"))
            asked = replace(request, url=endpoint + path)
            if self._dialect.is_asked(asked):
                return asked
        return replace(request, url=self.origin + path)

    def _granted(self, request: Request) -> Response | None:
        """A token of the example account, where the config's token endpoint is asked."""
        auth, account = self._party.connector.auth, self._party.account
        if self._dialect is None or auth.token is None or not self._dialect.is_asked(request):
            return None
        held: JsonValue = dict(account.credentials)
        access = auth.token_path.find(held) if auth.token_path else ABSENT
        kept = auth.token.refresh_token_path
        refresh = kept.find(held) if kept else ABSENT
        given = access if isinstance(access, str) else "connproof-example-token"
        return self._dialect.granted(Grant(given, refresh, _LIFETIME_S), time.time())

    def _miss_lines(self) -> Iterator[str]:
        shown = self.unmatched[:_MOST_MISSES]
        for unmatched in shown:
            yield f"request {unmatched.order}   {self._shown(unmatched.request)}"
            for miss in unmatched.misses:
                yield from (f"    {line}" for line in self._nearest(miss))
        if len(self.unmatched) > len(shown):
            yield f"(+{len(self.unmatched) - len(shown)} more)"

    def _nearest(self, miss: Miss) -> Iterator[str]:
        if not miss.differences:
            yield f"{miss.exchange.id}   every part equal; already used by request {miss.used_by}"
        for index, difference in enumerate(miss.differences):
            name = miss.exchange.id if index == 0 else " " * len(miss.exchange.id)
            yield f"{name}   {self._without_credential(difference)}"

    def _without_credential(self, difference: Difference) -> Difference:
        if self._slot(difference.part).kind not in _SECRET or difference.sent.startswith(_SAYS_NOTHING):
            return difference
        scheme = _SCHEME.match(difference.sent)
        return replace(difference, sent=f'{scheme[0]}{CREDENTIAL}"' if scheme else CREDENTIAL)

    def _slot(self, part: str) -> Slot:
        """What a part holds, by its name: that of a header, of a parameter, or the last one of a path in the body."""
        if path := _LAST_NAME.search(part) if part.startswith("body/") else None:
            return slot_of(path[1], self._policy, "member")
        where, _, name = part.partition(".")
        return slot_of(name, self._policy, "header" if where == "header" else "parameter")

    def _shown(self, request: Request) -> str:
        """A request that no recording holds: where it went; what it says beside stands among the differences."""
        return f"{request.method} {request.url.partition('?')[0]}"


def _document(body: bytes) -> JsonValue:
    try:
        document: JsonValue = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return None if nests_deeper(document, MAX_DEPTH) else document
