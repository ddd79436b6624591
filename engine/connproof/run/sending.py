"""The engine's one way out: sign a draft, keep to the allowed origins, send it, and say what the answer means."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, TypeGuard

from connproof import auth
from connproof.auth import Signing
from connproof.auth.token_request import with_tokens
from connproof.clock import Clock
from connproof.decode import Limits, decode, decode_as_sent
from connproof.draft import Draft
from connproof.errors import AccessRefused, ForeignNextLink, ProviderBusy, ProviderSaid
from connproof.events import LimitsSeen, Listener, RequestSent, ResponseReceived
from connproof.links import origin
from connproof.model import Account, Connector, Operation, Request, Response
from connproof.outcome import error_of, judged
from connproof.places import ABSENT, Absent, JsonValue
from connproof.run.calls import Call
from connproof.scrub import Scrubber, texts_in
from connproof.transport import Transport, shown_url

if TYPE_CHECKING:
    from connproof.ratelimit import Limits as RateLimits
    from connproof.tokens import Held, Tokens

__all__ = ["Answer", "Door", "Patience"]

_CONDITIONS = ("if-modified-since", "if-none-match")


@dataclass(frozen=True, slots=True)
class Answer:
    """A success: what was asked, what came back, and the decoded body; ABSENT where it is empty or means nothing.

    `says_nothing` is that there is nothing, and not only no body: a 204, or an answer that a rule calls empty.
    """

    request: Request
    response: Response
    document: JsonValue | Absent
    says_nothing: bool = False

    def __repr__(self) -> str:  # a body is personal data
        return f"Answer({self.response.status})"


class Patience:
    """How long a caller is willing to wait for throttles, in all: spent as it is used."""

    def __init__(self, seconds: float) -> None:
        self._left = seconds

    @classmethod
    def of(cls, call: Call) -> Patience:
        return cls(call.max_wait_s if call.on_throttle == "wait" else 0.0)

    def covers(self, seconds: int | None) -> TypeGuard[int]:
        """Whether there is patience for a wait. One that the provider did not name is none that can be waited."""
        return seconds is not None and self._left > 0 and seconds <= self._left

    def spend(self, seconds: int) -> int:
        self._left -= max(seconds, 1)  # a provider that always says 0 must not be asked for ever
        return seconds


class Door:
    """One connector on behalf of one account, over one transport."""

    def __init__(
        self,
        connector: Connector,
        account: Account,
        base_url: str,
        transport: Transport,
        *,
        clock: Clock,
        listener: Listener,
        limits: Limits,
        nonce: Callable[[], str] = lambda: secrets.token_hex(16),
        tokens: Tokens | None = None,
    ) -> None:
        self._connector = connector
        self._account = account
        self._origins = frozenset({origin(base_url), *connector.allowed_origins})
        self._transport = transport
        self._clock = clock
        self._listener = listener
        self._limits = limits
        self._nonce = nonce
        self._tokens = tokens

    async def answer(self, operation: Operation, draft: Draft, patience: Patience, *, finding: str = "") -> Answer:
        """Send a draft of an operation, again after a throttle as far as the caller's patience goes.

        Where tokens are kept, it is sent once more with a newer one if the first is refused. `finding` is the
        variable that the answer is to find out: no auth header can name it yet. Raises the ProviderSaid that the
        answer means, unless it is a success.
        """
        renewed = False
        while True:
            held: Held | None = None
            try:
                held = await self._held()
                request = self.signed(draft, finding=finding, held=held)
                response = await self.send(request, draft.url)
                return self._read(operation, request, response, self._with(held))
            except ProviderBusy as busy:
                if not patience.covers(busy.seconds):
                    raise
                await self._clock.sleep(patience.spend(busy.seconds))
            except AccessRefused as refused:
                if renewed or refused.meaning != "auth_expired" or await self._newer(held) is None:
                    raise
                renewed = True

    async def raw(self, draft: Draft, body: bytes | None) -> Response:
        """Send a draft with this body; the answer as it came, but for a 401 as in `answer`. Raises ForeignNextLink."""

        async def sent(held: Held | None) -> Response:
            signed = self.signed(draft, held=held)
            return await self.send(Request(signed.method, signed.url, signed.headers, body), signed.url)

        held = await self._held()
        response = await sent(held)
        newer = await self._newer(held) if response.status == 401 else None
        return response if newer is None else await sent(newer)

    async def _held(self) -> Held | None:
        """The token to sign with, where tokens are kept."""
        return None if self._tokens is None else await self._tokens.access(self._account)

    async def _newer(self, refused: Held | None) -> Held | None:
        """The token to try instead of one that was refused; None where there is no other."""
        if self._tokens is None or refused is None:
            return None
        held = await self._tokens.rejected(self._account, refused.generation)
        return None if held.generation == refused.generation else held

    def _with(self, held: Held | None) -> Account:
        """The account with the token where the credentials have it."""
        if held is None:
            return self._account
        return with_tokens(self._connector.auth, self._account, access=held.access)

    def now(self) -> datetime:
        """What time it is, in UTC."""
        return self._clock.now()

    def signed(self, draft: Draft, *, finding: str = "", held: Held | None = None) -> Request:
        """The request as it goes out, credentials in place."""
        scheme = self._connector.auth
        if finding:
            known = tuple((name, text) for name, text in scheme.headers if f"{{{finding}}}" not in text)
            scheme = replace(scheme, headers=known)
        return auth.sign(draft, scheme, self._with(held), Signing(self._clock.now(), self._nonce)).request()

    async def send(self, request: Request, shown: str) -> Response:
        """Send a signed request. `shown` is its URL unsigned, for messages. Raises ForeignNextLink."""
        try:
            allowed = origin(request.url) in self._origins
        except ValueError:
            allowed = False
        if not allowed:
            raise ForeignNextLink(
                "the request would leave the connector's origins; nothing was sent",
                facts={"leads to": shown_url(shown), "allowed": ", ".join(sorted(self._origins))},
                fix='if the provider really serves pages from there, add the origin to "allowed_origins"',
            )
        self._listener(RequestSent(request))
        response = await self._transport.send(request)
        self._listener(ResponseReceived(response))
        return response

    def _read(self, operation: Operation, request: Request, response: Response, account: Account) -> Answer:
        """What a response means, as an answer or as the error it is. `account` is whose credentials were sent."""
        connector = self._connector
        document, unreadable = self._decoded(operation, response)
        conditional = any(request.header(name) is not None for name in _CONDITIONS)
        verdict = judged(response, document, connector.rules_for(operation), conditional=conditional)
        limits = self._limits_of(response, document, throttled=verdict.meaning == "throttled")
        if not verdict.is_success:
            error = error_of(verdict, response, document, code=connector.error_code, message=connector.error_message)
            if limits is not None:
                error.limits = limits.headers()
                error.seconds = limits.retry_after_s
            raise _scrubbed(error, account)
        if verdict.meaning == "empty":
            return Answer(request, response, ABSENT, says_nothing=True)
        if unreadable is not None:
            raise unreadable
        return Answer(request, response, document, says_nothing=response.status == 204)

    def _limits_of(self, response: Response, document: JsonValue | Absent, *, throttled: bool) -> RateLimits | None:
        """What a response says of rate limits; a 503 may say when to come back, as a throttle does."""
        said, waits = self._connector.rate_limit, throttled or response.status == 503
        if said is None and not waits:
            return None
        from connproof.ratelimit import read_limits  # most reads end without any need of it

        limits = read_limits(said, response, document, now=self._clock.now(), throttled=waits)
        if limits.budgets or limits.notes:
            self._listener(LimitsSeen(limits.headers(), limits.notes))
        return limits

    def _decoded(self, operation: Operation, response: Response) -> tuple[JsonValue | Absent, ProviderSaid | None]:
        """The body, and what makes it unreadable as the config declares it: an error answer may be of any kind."""
        declared = operation.decode
        unreadable: ProviderSaid | None = None
        if 200 <= response.status < 300:
            try:
                return decode(response, limits=self._limits, declared=declared), None
            except ProviderSaid as error:
                unreadable = error
        return decode_as_sent(response, limits=self._limits, declared=declared).value, unreadable


def _scrubbed(error: ProviderSaid, account: Account) -> ProviderSaid:
    """The error without any credential of the account: providers echo what they were sent."""
    scrub = Scrubber(texts_in(dict(account.credentials))).text
    error.code, error.message = scrub(error.code), scrub(error.message)
    error.facts = {
        label: scrub(fact) if isinstance(fact, str) else tuple(map(scrub, fact)) for label, fact in error.facts.items()
    }
    error.headers = tuple((name, scrub(value)) for name, value in error.headers)
    return error
