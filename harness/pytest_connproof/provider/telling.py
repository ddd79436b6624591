"""Answers that mean what a connector's rules say that they mean: a throttle, an error, a place that is gone.

Written from the condition of a rule, and given only if the rules then read it so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from connproof.model import Condition, Connector, ErrorRule, Meaning, Operation, Response, Trait
from connproof.outcome import judged
from connproof.places import ABSENT, Absent, JsonValue
from pytest_connproof.provider.patterns import spelt
from pytest_connproof.provider.writing import answered, at_places

__all__ = ["answer_by", "answer_meaning", "answers_like"]

_STATUS: Final[Mapping[str, int]] = MappingProxyType(
    {
        "throttled": 429,
        "auth_expired": 401,
        "auth_revoked": 401,
        "forbidden": 403,
        "not_found": 404,
        "invalid": 400,
        "cursor_expired": 410,
        "version_gone": 410,
        "transient": 503,
        "failed": 500,
    }
)


def answer_meaning(connector: Connector, operation: Operation, meaning: Meaning) -> Response:
    """An answer that means this: as a rule has it, else the status that HTTP has for it."""
    for rule in connector.rules_for(operation):
        if rule.means == meaning:
            found = answer_by(connector, operation, rule)
            if found is not None:
                return found
    bearer = (("www-authenticate", "Bearer"),) if _STATUS[meaning] == 401 else ()
    return answered({"error": meaning}, *bearer, status=_STATUS[meaning])


def answer_by(connector: Connector, operation: Operation, rule: ErrorRule) -> Response | None:
    """An answer for which this rule decides; None where none can be written from its condition."""
    for response, document in answers_like(rule.when, (_STATUS.get(rule.means, 200), 200)):
        verdict = judged(response, document, connector.rules_for(operation))
        if verdict.rule is not None and verdict.rule.pointer == rule.pointer:
            return response
    return None


def answers_like(when: Condition, statuses: Sequence[int]) -> Iterator[tuple[Response, JsonValue]]:
    """Answers for which a condition should hold, as far as it says what they look like, and their bodies.

    `statuses` are those that it is written with where it names none.
    """
    values = [(place, _fitting(trait)) for place, trait in when.body]
    headers = [(name, _fitting(trait)) for name, trait in when.headers]
    document, named = at_places([*values, *headers])
    for status in when.statuses or statuses:
        code = status if isinstance(status, int) else int(status[0]) * 100
        if when.text is not None:
            words = spelt(when.text) or ""
            yield Response(code, (("content-type", "text/plain"), *named), words.encode()), words
        else:
            yield answered(document, *named, status=code), document


def _fitting(trait: Trait) -> JsonValue | Absent:
    """A value that is what a trait says, where that can be told from it."""
    if trait.equals:
        return trait.equals[0]
    if trait.matches is not None:
        return spelt(trait.matches) or ""
    return ABSENT if trait.present is False or trait.blank is True else "x"
