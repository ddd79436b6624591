"""TOK-005: what the config says of its token endpoint, against what the endpoint was recorded to take and to answer.

TOK-001 to TOK-004 hold the connector to what it declares; here, what it declares is held against the recordings. A
recorded request is compared with the one that the engine would write, part by part; a recorded answer is read as the
engine reads it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from connproof.auth import Signing
from connproof.auth.token_request import token_draft
from connproof.auth.token_response import TokenGranted, TokenRefused, checked_variables, token_document
from connproof.clock import FixedClock
from connproof.conditions import named
from connproof.errors import ProviderBroke
from connproof.model import Auth, TokenEndpoint, Words
from connproof.places import Absent, JsonValue
from pytest_connproof.finding import Evidence, Finding, Inconclusive, rows
from pytest_connproof.grants import outcome_of, parameters_of
from pytest_connproof.lane_run import forms_of
from pytest_connproof.recording import Exchange
from pytest_connproof.replay import Difference, Ledger, UnmatchedRequest
from pytest_connproof.subject import RecordedLane, Subject

_OF_A_GRANT: Final = ("access_token", "refresh_token", "expires_in", "expires_at", "refresh_expires_in", "scope")
_OF_A_REFUSAL: Final = ("error", "error_description")
_MEMBERS_SHOWN: Final = 12
# The parts of a request, and the word of the config that says what stands there.
_WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "method": "method",
        "origin": "url",
        "path": "url",
        "header.authorization": "client_auth",
        "header.content-type": "encode",
        "client_id": "client_auth",
        "client_secret": "client_auth",
        "client_assertion": "client_auth",
        "client_assertion_type": "client_auth",
        "grant_type": "grant",
        "scope": "scope",
    }
)


@dataclass(frozen=True, slots=True)
class _Recorded:
    """A token exchange, the lane that it stands in, and what the config makes of its answer."""

    exchange: Exchange
    lane: RecordedLane
    came: TokenGranted | TokenRefused

    @property
    def presented(self) -> JsonValue:
        """The refresh token that was sent, as the recording has it; None where there was none."""
        return parameters_of(self.exchange.request).get("refresh_token")

    @property
    def replaces(self) -> bool:
        """Whether the answer has another refresh token than the one that was sent."""
        granted = self.came.refresh_token
        return granted is not None and self.presented is not None and granted.reveal() != self.presented


def applies(subject: Subject) -> bool:
    """Whether a token is refreshed here, or asked for in a recording."""
    token = subject.connector.auth.token
    return token is not None and (token.grant == "refresh_token" or next(_exchanges(subject), None) is not None)


def refreshes_are_as_declared(subject: Subject, target: str) -> Evidence:  # noqa: ARG001 the checks share one signature
    """Recorded token requests are those that the config declares; its places and its rotation are the answers' own."""
    auth = subject.connector.auth
    recorded = [
        _Recorded(one, lane, outcome_of(auth, subject.account, one.response, subject.day(lane.lane.id)))
        for one, lane in _exchanges(subject)
    ]
    if not recorded:
        raise Inconclusive(
            "no recording shows a token being refreshed: what auth declares of it rests on nobody's word",
            "record a lane in which the access token is refused, or has ended, and a new one is granted",
        )
    for one in recorded:
        _refuse_request(subject, one)
        if isinstance(one.came, TokenGranted):
            _refuse_grant(subject, one, one.came)
        else:
            _refuse_refusal(subject, one, one.came)
    granted = [one for one in recorded if isinstance(one.came, TokenGranted)]
    if not granted:
        raise Inconclusive("every recorded token request is refused", "record a lane in which a token is granted")
    _refuse_places(subject, granted, _OF_A_GRANT)
    _refuse_places(subject, [one for one in recorded if one not in granted], _OF_A_REFUSAL)
    _refuse_variables(subject, granted)
    _refuse_rotation(subject, granted)
    return {
        "refreshes": len(granted),
        "rotated": sum(one.replaces for one in granted),
        "refused": len(recorded) - len(granted),
    }


def _exchanges(subject: Subject) -> Iterator[tuple[Exchange, RecordedLane]]:
    for lane in subject.lanes.values():
        yield from ((exchange, lane) for exchange in subject.grants(lane.lane))


# The request.


def _refuse_request(subject: Subject, one: _Recorded) -> None:
    """Where the engine would write another request than was recorded. Raises Finding; CallWrong, as the engine does."""
    party, endpoint = subject.party(one.lane.lane), _endpoint(subject.connector.auth)
    signing = Signing.at(FixedClock(subject.day(one.lane.lane.id)))
    written = token_draft(party.connector.auth, party.account, signing).request()
    alone = replace(one.lane.lane, exchanges=(one.exchange,))
    try:
        Ledger(alone, credentials=forms_of(party.connector.auth, party.account)).answer(written)
    except UnmatchedRequest as miss:
        differences = miss.misses[0].differences
        words = [_WORDS.get(part, _WORDS.get(part.removeprefix("body."), "params")) for part in _parts(differences)]
        raise Finding(
            f"{one.exchange.id} asks for a token otherwise than the config declares",
            rows(
                {
                    "differs in": [str(difference) for difference in differences],
                    **_where(subject, one, *(f"{endpoint.pointer}/{word}" for word in dict.fromkeys(words))),
                    "fix": "declare what the provider is sent; or take out of the recording what no config should send",
                }
            ),
        ) from None


def _parts(differences: Sequence[Difference]) -> Iterator[str]:
    """The parts that differ, a member of a JSON body as a field of a form."""
    return (difference.part.replace("body/", "body.") for difference in differences)


# The answer.


def _refuse_grant(subject: Subject, one: _Recorded, granted: TokenGranted) -> None:
    """Where a token was granted, and what stands beside it is not read as it is meant. Raises Finding."""
    endpoint, document = _endpoint(subject.connector.auth), token_document(one.exchange.response)
    endings = _endings(document)
    if granted.notes:
        raise Finding(
            f"{one.exchange.id} grants a token, and {granted.notes[0]}",
            rows({**_where(subject, one, f"{endpoint.pointer}/response"), **_members(document)}),
        )
    for said, ends, word in (
        (granted.expires_at, [name for name in endings if not _is_of_refresh(name)], "expires_in"),
        (granted.refresh_expires_at, [name for name in endings if _is_of_refresh(name)], "refresh_expires_in"),
    ):
        if said is None and ends:
            raise Finding(
                f'{one.exchange.id} says under "{ends[0]}" when a token ends, and the config does not read it there',
                rows(
                    {
                        **_where(subject, one, f"{endpoint.pointer}/response/{word}"),
                        "fix": f'"response": {{"{word}": "{ends[0]}"}}, or its kin: expires_at for a date',
                    }
                ),
            )


def _refuse_refusal(subject: Subject, one: _Recorded, refused: TokenRefused) -> None:
    """Where an answer is a grant that the config does not find, or a refusal that it has no meaning for."""
    endpoint, response = _endpoint(subject.connector.auth), one.exchange.response
    document = token_document(response)
    assert endpoint.answer is not None, "config gives each endpoint its places"
    if 200 <= refused.status < 300 and not refused.code:
        raise Finding(
            f"{one.exchange.id} is a success, and the config finds no access token in it",
            rows(
                {
                    "looked at": _told(endpoint.answer.access_token),
                    **_members(document),
                    **_where(subject, one, f"{endpoint.pointer}/response/access_token"),
                }
            ),
        )
    if refused.kind == "refused":
        raise Finding(
            f"{one.exchange.id} refuses the token, and the config does not know what that means",
            rows(
                {
                    "answer": f"HTTP {refused.status}   {refused.code or 'no code'}",
                    "looked at": _told(endpoint.answer.error),
                    **_members(document),
                    **_where(subject, one, endpoint.pointer),
                    "fix": "say whose fault the code is: revoked_when, misconfigured_when or transient_when",
                }
            ),
        )


def _refuse_places(subject: Subject, answers: Sequence[_Recorded], words: Sequence[str]) -> None:
    """Where the config names a place in the answer, and no recorded one has anything there. Raises Finding."""
    endpoint = _endpoint(subject.connector.auth)
    declared = subject.document["auth"][endpoint.pointer.rpartition("/")[2]].get("response", {})
    for word in words if answers else ():
        places: Words = getattr(endpoint.answer, word)
        if word not in declared or (word == "refresh_token" and subject.connector.auth.rotation == "none"):
            continue
        if not any(named(places, one.exchange.response, token_document(one.exchange.response)) for one in answers):
            raise Finding(
                f"{word} leads nowhere in every recorded answer of the token endpoint",
                rows(
                    {
                        "looked at": _told(places),
                        **_members(token_document(answers[0].exchange.response)),
                        **_where(subject, answers[0], f"{endpoint.pointer}/response/{word}"),
                    }
                ),
            )


def _refuse_variables(subject: Subject, granted: Sequence[_Recorded]) -> None:
    """Where a variable is said to come with a token, and does not, or is none that its pattern allows."""
    auth = subject.connector.auth
    found: set[str] = set()
    for one in granted:
        assert isinstance(one.came, TokenGranted), "only these are looked at"
        try:
            found |= checked_variables(auth, one.came).keys()
        except ProviderBroke as broke:
            raise Finding(broke.what, rows({**_where(subject, one, "/variables")})) from None
    for name, variable in auth.variables.items():
        if variable.source == "token_response" and name not in found:
            raise Finding(
                f'the variable "{name}" comes with a token, says the config, and no recorded answer has it',
                rows(
                    {
                        "looked at": str(variable.path),
                        **_members(token_document(granted[0].exchange.response)),
                        **_where(subject, granted[0], f"/variables/{name}"),
                    }
                ),
            )


def _refuse_rotation(subject: Subject, granted: Sequence[_Recorded]) -> None:
    """Where the recorded answers do something else with a used refresh token than is declared. Raises Finding."""
    rotation = subject.connector.auth.rotation
    refreshed = [one for one in granted if one.presented is not None]
    replacing = [one for one in refreshed if one.replaces]
    if rotation == "none" and replacing:
        raise Finding(
            f'{replacing[0].exchange.id} replaces the refresh token, and the config says rotation "none"',
            rows(
                {
                    **_where(subject, replacing[0], "/auth/rotation"),
                    "fix": 'declare "strict", or {"grace_s": N} where the provider says for how long the old one works',
                }
            ),
        )
    if rotation not in {None, "none"} and refreshed and not replacing:
        said = "strict" if rotation == "strict" else f"a grace of {rotation} s"
        raise Finding(
            f"no recorded refresh replaces the refresh token, and the config declares rotation: {said}",
            rows(
                {
                    "recorded": [f"{one.exchange.id}   {_given(one)}" for one in refreshed],
                    **_where(subject, refreshed[0], "/auth/rotation"),
                    "fix": [
                        'where the provider keeps refresh tokens, declare "none"',
                        "where it replaces some, record a refresh in which it does",
                        "where nobody knows, leave it out: what is not declared is treated as strict",
                    ],
                }
            ),
        )


# What findings show.


def _endpoint(auth: Auth) -> TokenEndpoint:
    assert auth.token is not None, "the table of checks asks only where there is one"
    return auth.token


def _given(one: _Recorded) -> str:
    return "the same one" if one.came.refresh_token is not None else "none"


def _told(words: Words) -> str:
    return ", ".join(str(place) if not isinstance(place, str) else f"header {place}" for place in words.places)


def _where(subject: Subject, one: _Recorded, *pointers: str) -> dict[str, str | Sequence[str]]:
    config = [subject.place_of(pointer) for pointer in pointers]
    return {"config": config, "evidence": f"{one.lane.recording.path.name}  {one.exchange.pointer}"}


def _members(document: JsonValue | Absent) -> dict[str, str]:
    names = [name for name, _ in _values(document, "")] if isinstance(document, dict) else []
    return {"it has": ", ".join(names[:_MEMBERS_SHOWN]) or "no members"}


def _values(value: JsonValue | Absent, path: str) -> Iterator[tuple[str, JsonValue | Absent]]:
    """A document's values, and where each stands."""
    if not isinstance(value, dict):
        yield path, value
        return
    for name, inner in value.items():
        yield from _values(inner, f"{path}.{name}" if path else name)


def _endings(document: JsonValue | Absent) -> list[str]:
    """The places whose names say that they tell when something ends, and which do."""
    values = _values(document, "")
    return [name for name, value in values if value is not None and "expir" in name.rpartition(".")[2].lower()]


def _is_of_refresh(name: str) -> bool:
    return "refresh" in name.lower()
