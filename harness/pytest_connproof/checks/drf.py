"""DRF: what was recorded against the contract, the reviewed shape of each operation's answers.

Every operation that has answers is judged, once one has a contract. A difference in what the config reads is a finding;
any other means that nobody has looked yet, which is a doubt.
"""

from __future__ import annotations

from collections.abc import Sequence

from connproof.drift import Difference
from connproof.schemas import nearest
from pytest_connproof.contracts import Drift, contract_path, load_contract
from pytest_connproof.finding import Evidence, Finding, Inconclusive, counted, rows
from pytest_connproof.subject import Subject

_MOST_SHOWN = 8


def what_is_read_holds(subject: Subject, target: str) -> Evidence:
    """Nothing that the config reads differs from the contract."""
    drift = _compared(subject, target)
    blocking = [found for found in drift.differences or () if found.severity == "block"]
    if blocking:
        count = len(blocking)
        raise Finding(
            f"{counted(count, 'place')} that the config reads {'are' if count != 1 else 'is'} not as in the contract",
            rows(
                {
                    **_told(subject, blocking),
                    "contract": str(drift.contract),
                    "fix": "let the config follow the provider; then connproof drift --update, and review the contract",
                }
            ),
        )
    return {"answers": drift.answers, "places": drift.places}


def all_else_is_reviewed(subject: Subject, target: str) -> Evidence:
    """No other difference either, but for members that are new or stand everywhere now, which break nobody."""
    drift = _compared(subject, target)
    warnings = [found for found in drift.differences or () if found.severity == "warn"]
    if warnings:
        shown = ", ".join(f"{found.path} {found.kind}" for found in warnings[:_MOST_SHOWN])
        more = f" (+{len(warnings) - _MOST_SHOWN} more)" if len(warnings) > _MOST_SHOWN else ""
        raise Inconclusive(
            f"the answers differ from the contract in what the config does not read: {shown}{more}",
            f"see connproof drift {subject.name}; with --update the contract is what you see, for you to review",
        )
    notes = sum(1 for found in drift.differences or () if found.severity == "note")
    return {"places": drift.places, "notes": notes}


def contracts_are_in_order(subject: Subject, target: str) -> Evidence:  # noqa: ARG001 the checks share one signature
    """Every contract says what can be compared, of an operation that there is. Raises ConfigWrong."""
    known = [operation.id for operation in subject.connector.operations()]
    for operation in subject.contracts:
        if operation not in known:
            raise Finding(
                f'there is a contract for "{operation}", which is no operation of the config',
                rows(
                    {
                        "left over": str(contract_path(subject.folder, operation)),
                        "fix": f"{nearest(operation, known)} else remove it, as connproof drift --update does",
                    }
                ),
            )
        load_contract(contract_path(subject.folder, operation))
    return {"contracts": len(subject.contracts)}


def _compared(subject: Subject, operation: str) -> Drift:
    drift = subject.drift(operation)
    if drift.lacks_contract:
        raise Inconclusive(
            f"{operation} has no contract, so nothing says what its answers were like",
            f"connproof drift {subject.name} --update, then review {drift.contract.name} as you would code",
        )
    return drift


def _told(subject: Subject, differences: Sequence[Difference]) -> dict[str, list[str]]:
    shown = differences[:_MOST_SHOWN]
    lines = [f"{found.path}  {found.kind}: {found.expected} -> {found.seen}" for found in shown]
    pointers = dict.fromkeys(pointer for found in shown for pointer in found.read_by)
    source = subject.connector.source
    return {
        "differ": lines + ([f"(+{len(differences) - _MOST_SHOWN} more)"] if len(differences) > _MOST_SHOWN else []),
        "read by": [f"{subject.file}:{source.line(pointer)}  {pointer}" for pointer in pointers],
    }
