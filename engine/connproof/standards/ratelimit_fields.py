"""The rate limit fields of draft-ietf-httpapi-ratelimit-headers into numbers, in each of its three forms.

    triple      RateLimit-Limit, -Remaining, -Reset and `RateLimit-Policy: 10;w=1`       (to -06)
    dictionary  `RateLimit: limit=100, remaining=50, reset=5`                           (-07)
    pair        `RateLimit: "default";r=50;t=30` and `RateLimit-Policy: "default";q=100;w=60`  (from -08; read at -11)

It is a draft, not a standard, and the forms differ in what the same names mean: which one a provider sends is
declared, never guessed. "Malformed RateLimit header fields MUST be ignored": a field is valid whole or not at all.
All times are seconds from now.
"""

from __future__ import annotations

from dataclasses import dataclass

from connproof.model import Response
from connproof.standards.structured import InnerList, Item, Member, natural, read_dictionary, read_list

__all__ = ["Policy", "ServiceLimit", "Triple", "read_dictionary_form", "read_limits", "read_policies", "read_triple"]


@dataclass(frozen=True, slots=True)
class Policy:
    """How much may be asked: `quota` in `unit` a `window_s`, None where no window is said.

    `name` is None in the old form, which has none. `partition` is the provider's key of who shares it.
    """

    name: str | None
    quota: int
    window_s: int | None = None
    unit: str = "requests"
    partition: bytes | None = None


@dataclass(frozen=True, slots=True)
class ServiceLimit:
    """What is left of a policy, and for how many seconds it must do."""

    name: str
    remaining: int
    reset_s: int | None = None
    partition: bytes | None = None


@dataclass(frozen=True, slots=True)
class Triple:
    """The one limit that is closest to being reached. None is what was not sent, or was malformed."""

    limit: int | None = None
    remaining: int | None = None
    reset_s: int | None = None
    notes: tuple[str, ...] = ()


def read_triple(response: Response) -> Triple:
    """The three fields of the old form. Two lines of one that differ make all three absent."""
    names = ("ratelimit-limit", "ratelimit-remaining", "ratelimit-reset")
    lines = {name: {value.strip(" \t") for key, value in response.headers if key == name} for name in names}
    if differing := [name for name in names if len(lines[name]) > 1]:
        return Triple(notes=tuple(f"conflicting_lines: {name}" for name in differing))
    numbers: list[int | None] = []
    notes: list[str] = []
    for name in names:
        # Early drafts put the policy behind the limit: `100, 100;w=60`.
        number = _first_number(next(iter(lines[name]), ""), alone=name != "ratelimit-limit")
        if number is None and any(lines[name]):
            notes.append(f"malformed: {name}")
        numbers.append(number)
    limit, remaining, reset = numbers
    if limit is not None and not lines["ratelimit-reset"]:
        notes.append("missing: ratelimit-reset")
    return Triple(limit, remaining, reset, tuple(notes))


def read_dictionary_form(response: Response) -> Triple:
    """The one field of draft -07: `limit` and `reset` are required there, `remaining` is not."""
    text = response.header("ratelimit")
    if not text:
        return Triple()
    members, note = read_dictionary(text)
    numbers = {name: _number(member) for name, member in (members or {}).items()}
    known = [name for name in ("limit", "remaining", "reset") if name in numbers]
    if note or not {"limit", "reset"} <= set(known) or any(numbers[name] is None for name in known):
        return Triple(notes=("malformed: ratelimit",))
    return Triple(numbers["limit"], numbers.get("remaining"), numbers["reset"])


def read_limits(response: Response) -> tuple[tuple[ServiceLimit, ...], tuple[str, ...]]:
    """What `RateLimit` says in the new form, and notes; nothing where it is absent, empty or malformed."""
    members, notes = _members(response, "ratelimit")
    limits = [_service_limit(member) for member in members]
    found = tuple(limit for limit in limits if limit is not None)
    return (found, notes) if len(found) == len(limits) else ((), ("malformed: ratelimit",))


def read_policies(response: Response) -> tuple[tuple[Policy, ...], tuple[str, ...]]:
    """What `RateLimit-Policy` says, in its new form (Strings) or its old one (Integers), and notes."""
    members, notes = _members(response, "ratelimit-policy")
    policies = [_policy(member) for member in members]
    found = tuple(policy for policy in policies if policy is not None)
    whole = len(found) == len(policies) and len({policy.name is None for policy in found}) <= 1
    return (found, notes) if whole else ((), ("malformed: ratelimit-policy",))


def _members(response: Response, name: str) -> tuple[tuple[Member, ...], tuple[str, ...]]:
    text = response.header(name)
    members, note = read_list(text) if text else ((), "")
    return members or (), ((f"malformed: {name}",) if note else ())


def _service_limit(member: Member) -> ServiceLimit | None:
    said = member.parameters
    remaining, reset, partition = natural(said.get("r")), natural(said.get("t")), said.get("pk")
    if not isinstance(member, Item) or not isinstance(member.value, str) or remaining is None:
        return None
    if ("t" in said and reset is None) or not isinstance(partition, bytes | None):
        return None
    return ServiceLimit(member.value, remaining, reset, partition)


def _policy(member: Member) -> Policy | None:
    if not isinstance(member, Item):
        return None
    said, value = member.parameters, member.value
    name = value if isinstance(value, str) else None
    quota = natural(value if name is None else said.get("q"))
    unit, partition = said.get("qu", "requests"), said.get("pk")
    if quota is None or not isinstance(unit, str) or not isinstance(partition, bytes | None):
        return None
    window = natural(said.get("w"))
    if "w" in said and not window:
        return None
    return Policy(name, quota, window, unit, partition)


def _first_number(text: str, *, alone: bool) -> int | None:
    members, _ = read_list(text)
    return _number(members[0]) if members and (len(members) == 1 or not alone) else None


def _number(member: Member) -> int | None:
    return None if isinstance(member, InnerList) else natural(member.value)
