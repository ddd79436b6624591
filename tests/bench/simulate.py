"""Which way to keep rotating tokens keeps an account alive? Ours, the real code, beside four that are known to be bad.

    python tests/bench/simulate.py [--seeds 100] [--mix NAME] [--rotation strict|grace:60] [--design NAME]
    python tests/bench/simulate.py --seed 17 --mix NAME --rotation strict --design connproof    one run again

Each run is one account in six virtual hours with faults, then a quiet time without. One seed is one run: the same
seed, mix, rotation and design do the same again, on every machine. docs/simulation.md tells what the columns mean.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from itertools import product
from multiprocessing import get_context
from typing import Final, Literal, TypeAlias

from simulated import LIFETIME_S, MIXES, ROTATIONS, WORKERS, World
from token_designs import DESIGNS, OURS, Ask, Design

from connproof.errors import ConnproofError
from connproof.model import Secret
from pytest_connproof.schedule import ControlledLoop

__all__ = ["HOURS", "Cell", "Run", "Sum", "Verdict", "lived", "tables"]

HOURS: Final = 6
_LOOK_S: Final = 60.0
_SILENT_S: Final = 300.0  # longer than any exchange with what is written after it
_QUIET_S: Final = _SILENT_S + 2 * LIFETIME_S  # every access token ends, and every back-off
_ASK_S: Final = 300.0
_CHUNK: Final = 10

Verdict: TypeAlias = Literal["usable", "lost", "silent"]


@dataclass(frozen=True, slots=True)
class Cell:
    """Names out of DESIGNS, MIXES and ROTATIONS."""

    rotation: str
    mix: str
    design: str


@dataclass(frozen=True, slots=True)
class Run:
    """What became of one account.

    `was_silent`: at some time its store said for five minutes that all was well, and it was not. `unreceived` is how
    many rotations reached nobody who lived to write them down, `replays` how often a token was presented that had been
    presented before, `refreshes` how often a pair was granted. `false`: it was said to be lost, and was not.
    """

    verdict: Verdict
    was_silent: bool
    unreceived: int
    replays: int
    refreshes: int
    false: bool
    reason: str = ""


@dataclass(slots=True)
class _Watch:
    """Looks at the store each minute: for how long has it said that all is well, while no token of it is good?"""

    world: World
    design: Design
    silent_s: float = 0.0
    most_s: float = 0.0

    def look(self) -> None:
        kept = self.design.kept()
        good = (
            kept.reason or kept.doubt or any(self.world.server.would_grant(one, self.world.now) for one in kept.refresh)
        )
        self.silent_s = 0.0 if good else self.silent_s + _LOOK_S
        self.most_s = max(self.most_s, self.silent_s)
        self.world.later(_LOOK_S, self.look)


def lived(cell: Cell, seed: int, *, hours: float = HOURS) -> Run:
    """One account's life, from one integer."""
    loop = ControlledLoop()  # type: ignore[abstract]  # without files, sockets and signals
    with loop.entered():
        world = World(loop, MIXES[cell.mix], ROTATIONS[cell.rotation], seed)
        design = DESIGNS[cell.design](world)
        watch = _Watch(world, design)
        watch.look()
        world.populate(design.worker, lambda: design.kept().good_until)
        end = hours * 3600
        world.run(end)
        world.calm = True
        world.run(end + _SILENT_S)
        is_silent = watch.silent_s >= _SILENT_S
        world.run(end + _QUIET_S)
        answered = _answered(world, design.worker("last"), end + _QUIET_S + _ASK_S)
        kept = design.kept()
        would = any(world.server.would_grant(one, world.now) for one in kept.refresh)
        verdict: Verdict = "lost" if kept.reason else "usable" if answered and would else "silent"
        presented = Counter((one.family, one.number) for one in world.server.presentations)
        return Run(
            "silent" if is_silent else verdict,
            watch.most_s >= _SILENT_S,
            len(world.orphans - world.kept),
            sum(times - 1 for times in presented.values()),
            len(world.server.issued) - 1,
            bool(kept.reason) and would,
            kept.reason,
        )


def _answered(world: World, ask: Ask, until: float) -> bool:
    """Whether one more call comes to an end, and what it is given is good."""
    asking = world.spawn("last", _is_served(world, ask))
    world.run(until)
    return asking.done() and asking.result()


async def _is_served(world: World, ask: Ask) -> bool:
    try:
        access = await ask()
    except ConnproofError:
        return False
    return access is not None and world.serves(Secret(access))


# From runs to tables.


@dataclass(slots=True)
class Sum:
    """What became of a cell's accounts."""

    runs: list[Run] = field(default_factory=list)

    def became(self, verdict: Verdict) -> int:
        return sum(run.verdict == verdict for run in self.runs)

    @property
    def were_silent(self) -> int:
        return sum(run.was_silent or run.verdict == "silent" for run in self.runs)

    @property
    def unreceived(self) -> int:
        return sum(run.unreceived > 0 for run in self.runs)

    @property
    def verdicts(self) -> str:
        return " / ".join(str(self.became(verdict)) for verdict in ("usable", "lost", "silent"))

    @property
    def troubles(self) -> str:
        return f"{self.were_silent} / {sum(run.replays for run in self.runs) / len(self.runs):.2f}"


Sums: TypeAlias = dict[Cell, Sum]


def simulated(cells: Sequence[Cell], seeds: range, jobs: int) -> Sums:
    """Every seed in every cell."""
    sums: Sums = {cell: Sum() for cell in cells}
    work = [(cell, seeds[at : at + _CHUNK]) for cell in cells for at in range(0, len(seeds), _CHUNK)]
    if jobs == 1:
        for cell, some in work:
            sums[cell].runs += _several((cell, some))
        return sums
    with ProcessPoolExecutor(jobs, get_context("spawn")) as pool:
        for (cell, _), runs in zip(work, pool.map(_several, work), strict=True):
            sums[cell].runs += runs
    return sums


def _several(work: tuple[Cell, range]) -> list[Run]:
    cell, seeds = work
    return [lived(cell, seed) for seed in seeds]


def tables(sums: Sums) -> str:
    """Markdown: of each rotation, what became of the accounts, and what else happened to them."""
    rotations, mixes, designs = (
        list(dict.fromkeys(names))
        for names in zip(*((cell.rotation, cell.mix, cell.design) for cell in sums), strict=True)
    )
    parts = []
    for rotation in rotations:
        of = {(mix, design): sums[Cell(rotation, mix, design)] for mix in mixes for design in designs}
        parts += [
            f"{rotation}: usable / lost, and said to be / silently dead at the end",
            _table(mixes, designs, {key: one.verdicts for key, one in of.items()}),
            f"{rotation}: accounts with a rotation that nobody received",
            _table(mixes, designs, {key: str(one.unreceived) for key, one in of.items()}),
            f"{rotation}: accounts that were silently dead at some time / replays of a spent token per account",
            _table(mixes, designs, {key: one.troubles for key, one in of.items()}),
        ]
    return "\n\n".join(parts)


def _table(mixes: Sequence[str], designs: Sequence[str], cells: dict[tuple[str, str], str]) -> str:
    rows = [["fault mix", *designs], *([mix, *(cells[mix, design] for design in designs)] for mix in mixes)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "| " + " | ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)) + " |" for row in rows
    ]
    return "\n".join([lines[0], "|" + "|".join("---" for _ in designs) + "|---|", *lines[1:]])


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns 1 where an account that we kept was silently dead at any time, or was said to be lost and was not."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--seeds", type=int, default=60, help="accounts per cell (default 60: two minutes on two cores)"
    )
    parser.add_argument("--first", type=int, default=0, help="the first seed (default 0)")
    parser.add_argument("--seed", type=int, help="play this one again, and tell what became of it")
    parser.add_argument("--rotation", action="append", choices=ROTATIONS)
    parser.add_argument("--mix", action="append", choices=MIXES)
    parser.add_argument("--design", action="append", choices=DESIGNS)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    said = parser.parse_args(arguments)
    cells = [Cell(*names) for names in product(said.rotation or ROTATIONS, said.mix or MIXES, said.design or DESIGNS)]
    if said.seed is not None:
        for cell in cells:
            print(f"{cell.rotation}, {cell.mix}, {cell.design}, seed {said.seed}: {lived(cell, said.seed)}")
        return 0
    seeds = range(said.first, said.first + said.seeds)
    began = time.monotonic()
    sums = simulated(cells, seeds, said.jobs)
    print(f"{WORKERS} workers, {HOURS} h, seeds {seeds[0]} to {seeds[-1]}: {len(seeds)} accounts in each cell\n")
    print(tables(sums))
    print(f"\n{len(cells) * len(seeds)} accounts in {time.monotonic() - began:.0f} s", file=sys.stderr)
    wrong = [
        f"{cell.rotation}, {cell.mix}, seed {seed}: {run}"
        for cell, one in sums.items()
        if cell.design == OURS
        for seed, run in zip(seeds, one.runs, strict=True)
        if run.was_silent or run.verdict == "silent" or run.false
    ]
    print(*(["", "MUST NOT BE:", *wrong] if wrong else []), sep="\n")
    return int(bool(wrong))


if __name__ == "__main__":
    raise SystemExit(main())
