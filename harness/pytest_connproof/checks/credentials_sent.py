"""RPL-003: the credentials of a replayed read: those that were recorded, where auth says, and nowhere else.

A placeholder of the recording stands for what was sent in its place, whatever that was; here it is held against the
account's own credentials and the tokens that were granted on the way. No credential is ever shown.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from urllib.parse import parse_qsl, unquote, unquote_plus, urlsplit

from connproof.model import Auth, Request
from connproof.places import ABSENT, Place
from pytest_connproof.finding import Evidence, Finding, Inconclusive, rows
from pytest_connproof.grants import asks_for_token
from pytest_connproof.lane_run import LaneRun, credentials_of, forms_of
from pytest_connproof.redact import PLACEHOLDER
from pytest_connproof.replay import UnmatchedRequest
from pytest_connproof.subject import Subject

_SIGNED: Final = frozenset({"oauth1", "ws_security"})  # what is sent is made of credentials, and differs each time
_SHORTEST_SOUGHT: Final = 6  # characters; a shorter credential stands everywhere by chance


def credentials_are_in_place(subject: Subject, target: str) -> Evidence:
    """The credential that the recording has is sent: the account's own, or the one that was granted; nowhere else."""
    run = subject.run(target)
    auth = subject.connector.auth
    if run.unmatched is not None:
        _refuse_another_token(subject, run, run.unmatched)
        raise Inconclusive("the run ended at a request that is not in the recording", "see RPL-002")
    if auth.type != "none" and not run.tally.bindings:
        raise Finding(
            "no request carried a credential",
            rows(
                {
                    "auth": f"{auth.type}   {subject.line_of('/auth')}",
                    "recorded": "no placeholder in any request",
                }
            ),
        )
    known = frozenset(forms_of(auth, subject.party(run.lane).account))
    _refuse_another_credential(subject, run, known)
    _refuse_outside(subject, run, [*known, *(one.text for one in run.tally.granted.values())])
    return {"requests": len(run.requests), "credentials": len(run.tally.bindings)}


# Another token than the recorded one: the request is not in the recording at all.


def _refuse_another_token(subject: Subject, run: LaneRun, miss: UnmatchedRequest) -> None:
    """Where the request that is not in the recording has nothing wrong but its token. Raises Finding."""
    for near in miss.misses:
        wanted = {found[0] for part in near.differences for found in PLACEHOLDER.finditer(part.recorded)}
        only_these = all(PLACEHOLDER.search(part.recorded) for part in near.differences)
        if near.used_by is not None or not near.differences or not only_these:
            continue
        if not run.tally.granted.keys() & {*wanted, *_sent_in(run, miss.request)}:
            continue
        sent = _sent_in(run, miss.request) - wanted
        granted = [f"{one}   by {run.tally.granted[one].exchange.id}" for one in run.tally.granted]
        raise Finding(
            f"request {miss.order} carries another credential than {near.exchange.id} was recorded with",
            rows(
                {
                    "recorded": sorted(wanted),
                    "sent": sorted(sent) or "what the recording knows nothing of",
                    "granted": granted,
                    "auth": subject.line_of("/auth"),
                    "fix": "after a refresh the new token is sent, and the old one never again",
                }
            ),
        )


def _sent_in(run: LaneRun, request: Request) -> set[str]:
    """The placeholders whose texts stand in a request."""
    texts = [value for _, value in request.headers] + [request.url, (request.body or b"").decode("utf-8", "replace")]
    return {name for name, text in run.tally.bindings.items() if any(text in where for where in texts)}


# Another credential of the account, or none of it.


def _refuse_another_credential(subject: Subject, run: LaneRun, known: frozenset[str]) -> None:
    """Where what stands for a placeholder is not the credential that it names. Raises Finding, Inconclusive."""
    auth, account = subject.connector.auth, subject.party(run.lane).account
    of_tokens = _in_token_requests(run)
    for placeholder, sent in run.tally.bindings.items():
        if placeholder in run.tally.granted or (sent not in known and placeholder in of_tokens and _is_signed(auth)):
            continue
        if sent not in known and auth.type not in _SIGNED:
            raise Finding(
                f"what was sent for {placeholder} is no credential of the account",
                rows({"auth": subject.line_of("/auth"), "fix": "check where auth reads it from"}),
            )
        name = placeholder.partition(":")[2].partition("#")[0]
        named = Place.parse(name).find(dict(account.credentials))
        made_of_several = auth.type == "basic" or auth.type in _SIGNED or placeholder in of_tokens
        if named is ABSENT and not made_of_several and len(credentials_of(account)) > 1:
            raise Inconclusive(
                f'the account has several credentials, none named "{name}": which one {placeholder} is, cannot be told',
                f'name it "{name}" in accounts/example.json and under auth',
            )
        if isinstance(named, str) and named != sent:
            raise Finding(
                f"another credential was sent for {placeholder}",
                rows(
                    {
                        "expected": f'the account\'s "{name}"',
                        "auth": subject.line_of("/auth"),
                        "fix": "point auth at the credential that the recorded request carried",
                    }
                ),
            )


def _in_token_requests(run: LaneRun) -> frozenset[str]:
    """The placeholders that stand in token requests: of some, the text is made of several credentials."""
    requests = [use.exchange.request for use in run.tally.used if use.grants]
    texts = [
        text for one in requests for text in (one.url, str(one.headers), (one.body or b"").decode(errors="replace"))
    ]
    return frozenset(found[0] for text in texts for found in PLACEHOLDER.finditer(unquote_plus(text)))


def _is_signed(auth: Auth) -> bool:
    """Whether a token request has a signature, which is another each time."""
    return auth.token is not None and auth.token.jwt is not None


# A credential where none belongs.


def _refuse_outside(subject: Subject, run: LaneRun, secrets: list[str]) -> None:
    """Where one of these texts stands in a request outside the place that is declared for it. Raises Finding."""
    auth = subject.connector.auth
    sought = [text for text in secrets if len(text) >= _SHORTEST_SOUGHT]
    for number, request in enumerate(run.requests, 1):
        is_for_a_token = asks_for_token(auth, request)
        parts = _outside_a_token_request(request, auth) if is_for_a_token else _outside_the_slot(request, auth)
        outside = [where for where, text in parts if any(secret in text for secret in sought)]
        if outside:
            slot = f"{auth.place} {auth.name}" if auth.type != "none" else "none: auth has no credential"
            raise Finding(
                f"request {number} carries a credential outside its slot",
                rows(
                    {
                        "found in": outside,
                        "slot": "what the token request declares" if is_for_a_token else slot,
                        "sent": subject.shown(run, request),
                    }
                ),
            )


def _outside_the_slot(request: Request, auth: Auth) -> Iterator[tuple[str, str]]:
    """The parts of a request where no credential belongs, decoded: where, and the text."""
    url = urlsplit(request.url)
    own = {("header", name) for name, _ in auth.headers}
    if auth.type == "ws_security":
        own.add(("body", ""))
    elif auth.type != "none":
        own.add((auth.place, auth.name))
    yield "address", unquote(f"{url.netloc}{url.path}")
    yield from ((f"query {name}", text) for name, text in parse_qsl(url.query) if ("query", name) not in own)
    yield from ((f"header {name}", text) for name, text in request.headers if ("header", name) not in own)
    if ("body", "") not in own:
        body = (request.body or b"").decode("utf-8", "replace")
        yield "body", f"{body} {unquote_plus(body)}"


def _outside_a_token_request(request: Request, auth: Auth) -> Iterator[tuple[str, str]]:
    """The parts of a token request where no credential belongs: its address, and its query unless all stands there."""
    url = urlsplit(request.url)
    yield "address", unquote(f"{url.netloc}{url.path}")
    if auth.token is not None and auth.token.encode != "query":
        yield from ((f"query {name}", text) for name, text in parse_qsl(url.query))
