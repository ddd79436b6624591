"""What does it cost that expressions of an account's layer are evaluated in a process of their own?

    python tests/bench/apart.py [--records 2000] [--rounds 7]

The same fields of the same records, in turns: given by the platform, given by an account, and both. All figures are
ratios of wall time to the platform's, medians of the rounds. With `--before SOURCE` (the folder `engine` of another
checkout) the platform's own figure stands beside that of the code there, each in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from connproof.clock import FixedClock
from connproof.mapping import compile_mapping
from connproof.model import FieldRule, UnifiedMapping

ONE: Final = "6 expressions, the platform's"
WALKED: Final = {f"f{n}": path for n, path in enumerate(["id", "name.first", "name.last", "email", "address.city"] * 3)}
EVALUATED: Final = {
    "full_name": 'name.first & " " & name.last',
    "email": "$lowercase(email)",
    "work_phone": 'phones[type="work"].number',
    "status": 'status = "A" ? "active" : "inactive"',
    "hired_at": "$fromMillis(hired_ts)",
    "tags": "[tags.name]",
}
RECORD: Final[dict[str, Any]] = {
    "id": 17,
    "name": {"first": "Ada", "last": "Lovelace"},
    "email": "Ada@Example.com",
    "address": {"city": "London", "street": "12 St James's Square", "country_code": "GB"},
    "phones": [{"type": "home", "number": "1"}, {"type": "work", "number": "2"}],
    "status": "A",
    "hired_ts": 1700000000000,
    "tags": [{"name": "a"}, {"name": "b"}],
    "notes": "x" * 300,
}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--records", type=int, default=2_000)
    arguments.add_argument("--rounds", type=int, default=7)
    arguments.add_argument("--before", type=Path, help="the folder `engine` of another checkout")
    arguments.add_argument("--platform-only", action="store_true", help=argparse.SUPPRESS)
    said = arguments.parse_args()
    if said.platform_only:
        print(json.dumps({"walked": _platform(WALKED, said.records), "evaluated": _platform(EVALUATED, said.records)}))
        return
    if said.before is not None:
        _beside(said.before, said.records, said.rounds)
        return
    half = dict(list(EVALUATED.items())[:3])
    ways = {
        "15 walks, the platform's": _mapping(WALKED),
        "15 walks, an account's": _mapping(WALKED, of_account=WALKED),
        "6 expressions, the platform's": _mapping(EVALUATED),
        "6 expressions, an account's": _mapping(EVALUATED, of_account=EVALUATED),
        "6 expressions, 3 an account's": _mapping(EVALUATED, of_account=half),
        "1 expression, the platform's": _mapping({"email": EVALUATED["email"]}),
        "1 expression, an account's": _mapping({"email": EVALUATED["email"]}, of_account=EVALUATED),
    }
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(said.rounds):
        for name, apply in ways.items():
            taken[name].append(_timed(apply, said.records))
    medians = {name: statistics.median(each) for name, each in taken.items()}
    for name, seconds in medians.items():
        floor = medians[f"{name.split(',', maxsplit=1)[0]}, the platform's"]
        print(f"{name:32} {seconds / floor:6.2f}")
    starts = statistics.median(_timed(_mapping(EVALUATED, of_account=EVALUATED), 1) for _ in range(said.rounds))
    print(f"the process's start is worth {starts / medians[ONE] * said.records:.0f} records of {ONE}")


def _mapping(fields: Mapping[str, str], of_account: Mapping[str, str] | None = None) -> Callable[[], object]:
    """Maps one record each time it is called."""
    strange = of_account or {}
    rules = tuple(
        FieldRule(name, text, "", 1, "account:acme", "acme.json") if name in strange else FieldRule(name, text, "", 1)
        for name, text in fields.items()
    )
    clock = FixedClock(datetime(2024, 5, 6, tzinfo=UTC))
    mapping = compile_mapping(UnifiedMapping("m", "r", rules, ""), schema=None, clock=clock, bindings={})
    return lambda: mapping.apply(RECORD)


def _timed(apply: Callable[[], object], records: int) -> float:
    before = time.perf_counter()
    for _ in range(records):
        apply()
    return time.perf_counter() - before


def _platform(fields: Mapping[str, str], records: int) -> float:
    apply = _mapping(fields)
    apply()
    return _timed(apply, records)


def _beside(before: Path, records: int, rounds: int) -> None:
    taken: dict[tuple[str, str], list[float]] = {}
    here = Path(__file__).parents[2] / "engine"
    for _ in range(rounds):
        for name, source in (("there", before.resolve()), ("here", here)):
            command = [sys.executable, __file__, "--platform-only", "--records", str(records)]
            ran = subprocess.run(
                command, env={**os.environ, "PYTHONPATH": str(source)}, capture_output=True, text=True, check=True
            )
            for what, seconds in json.loads(ran.stdout).items():
                taken.setdefault((what, name), []).append(seconds)
    for what in ("walked", "evaluated"):
        ratio = statistics.median(taken[what, "here"]) / statistics.median(taken[what, "there"])
        best = min(taken[what, "here"]) / min(taken[what, "there"])
        print(f"{what}: here / there {ratio:.3f} (medians), {best:.3f} (best of {rounds})")


if __name__ == "__main__":
    main()
