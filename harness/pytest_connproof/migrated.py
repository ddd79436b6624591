"""A connector and the old code that it replaces, to whether that code can be deleted, or what stands in its way.

It can be where the connector is certified as its files are today, returns what this very code returned but for what is
waived, and nothing but tests needs the code any more. What cannot be judged is never a yes.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from connproof.documents import read_json
from connproof.errors import CallWrong, ConfigWrong
from connproof.model import Operation
from pytest_connproof.audit.references import Reference, References, references_to
from pytest_connproof.audit.sources import everything, repository_of
from pytest_connproof.finding import Inconclusive
from pytest_connproof.lane_parity import LaneParity, lane_parity, matched, unexercised
from pytest_connproof.lane_run import COMPLETE, is_write
from pytest_connproof.old_code import code_among, digest_of
from pytest_connproof.parity import Deviation
from pytest_connproof.report.certificate import FORMAT as CERTIFICATE
from pytest_connproof.report.certificate import engine_digest
from pytest_connproof.snapshots import Baseline
from pytest_connproof.subject import Subject

__all__ = ["Migration", "Obstacle", "OldLane", "Verdict", "judge"]

Verdict: TypeAlias = Literal["can be deleted", "cannot be deleted yet", "cannot be told yet"]
"""The last where nothing is known to stand in the way, but something could not be judged."""


@dataclass(frozen=True, slots=True)
class Obstacle:
    """What stands in the way: where, what, and what to do. A `doubt` is what could not be judged."""

    where: str
    what: str
    fix: str = ""
    doubt: bool = False


@dataclass(frozen=True, slots=True)
class OldLane:
    """A lane whose baseline this code returned, and how the config compares with it."""

    lane: str
    by: Baseline
    records: int
    waived: tuple[Deviation, ...]


@dataclass(frozen=True, slots=True)
class Migration:
    """What is known of one connector and the code that it replaces; paths of `code` from the root of `tree`."""

    connector: str
    code: tuple[str, ...]
    tree: Path
    certificate: str
    lanes: tuple[OldLane, ...]
    others: tuple[tuple[str, str], ...]  # listings of which another baseline is told, and whose
    fields: int
    references: References
    obstacles: tuple[Obstacle, ...]

    @property
    def verdict(self) -> Verdict:
        if any(not obstacle.doubt for obstacle in self.obstacles):
            return "cannot be deleted yet"
        return "cannot be told yet" if self.obstacles else "can be deleted"


def judge(
    subject: Subject,
    code: Sequence[Path],
    *,
    tree: Path | None = None,
    without: Sequence[str] = (),
    apart: Sequence[Path] = (),
    certificate: Path | None = None,
) -> Migration:
    """Whether code can be deleted. Raises CallWrong for code or a tree that is not there.

    `without` are listings, by their operations' ids, that this code never gave; `apart` files whose words mean other
    code; `certificate` where the connector's certificate is, if not beside it.
    """
    root, targets = _placed(code, tree)
    references = references_to(
        root, targets, [_inside(path, root, "--apart") for path in apart] + _contracts(subject, root)
    )
    subject.net.open()
    try:
        path = certificate or subject.last_certificate
        said, wrong = _certificate(subject, path)
        of_this, others, lacking = _baselines(subject, code, root, targets, without)
        obstacles = [*wrong, *lacking, *_open(subject, of_this), *_coverage(subject), *_needs(references)]
        return Migration(
            connector=subject.name,
            code=tuple(targets),
            tree=root,
            certificate=said,
            lanes=tuple(_old_lane(subject, lane) for lane in of_this),
            others=tuple(others),
            fields=sum(len(mapping.fields) for mapping in subject.connector.unified.values()),
            references=references,
            obstacles=tuple(obstacles),
        )
    finally:
        subject.net.close()


# Where the code lies.


def _placed(code: Sequence[Path], tree: Path | None) -> tuple[Path, list[str]]:
    """The root of the tree, and the files of the code by their paths from it. Raises CallWrong."""
    for path in code:
        if not path.exists():
            raise CallWrong(f"there is no code at {path}", fix="name the old code's file or folder with --legacy")
    first = code[0].resolve()
    root = (tree or repository_of(first if first.is_dir() else first.parent) or Path()).resolve()
    if not root.is_dir():
        raise CallWrong(f"{root}: no such folder", fix="name the root of a repository with --tree, or a folder in one")
    files: dict[str, None] = {}
    listed = everything(root)
    for path in code:
        inside = _inside(path, root, "--legacy")
        files |= dict.fromkeys([one for one in listed if one.startswith(f"{inside}/")] if path.is_dir() else [inside])
    if not files:
        raise CallWrong(f"there is no code in {code[0]}", fix="name the old code's file or folder with --legacy")
    return root, [*files]


def _inside(path: Path, root: Path, option: str) -> str:
    """A path from the root of the tree. Raises CallWrong for one outside."""
    resolved = path.resolve()
    if not resolved.is_relative_to(root):
        raise CallWrong(f"{option} {path} is not in the tree {root}", fix="name the folder that holds both with --tree")
    return resolved.relative_to(root).as_posix()


def _contracts(subject: Subject, root: Path) -> list[str]:
    """What says by whom a baseline was returned, of this connector or another, and is to stay: no need of that code."""
    waivers = sorted(subject.folder.parent.glob("*/deviations.json"))
    kept = [subject.snapshots.folder.parent, subject.last_certificate.parent, *waivers]
    return [path.resolve().relative_to(root).as_posix() for path in kept if path.resolve().is_relative_to(root)]


# The certificate.


def _certificate(subject: Subject, path: Path) -> tuple[str, list[Obstacle]]:
    """What the certificate says, and why that is not enough."""
    again = f"connproof certify {subject.folder}"
    if not path.exists():
        return "none", [Obstacle(str(path), "there is no certificate", again, doubt=True)]
    try:
        said, _ = read_json(path.read_bytes(), str(path))
    except ConfigWrong as wrong:
        return "none that can be read", [Obstacle(str(path), str(wrong.problems[0]), again, doubt=True)]
    if not isinstance(said, dict) or said.get("format") != CERTIFICATE:
        return "none that can be read", [Obstacle(str(path), f"is not of format {CERTIFICATE}", again, doubt=True)]
    verdict, reasons, until = said.get("verdict"), said.get("reasons"), said.get("valid_until")
    if stale := _stale(subject, said):
        why = f"is of other files than today's: {', '.join(stale)}"
        return f"{verdict}, of other files", [Obstacle(str(path), why, again, doubt=True)]
    if isinstance(until, str) and until < subject.settings.as_of.isoformat():
        why = f"was valid until {until}: the recordings are older than they may be"
        return f"{verdict}, until {until}", [Obstacle(str(path), why, "record anew, then certify again", doubt=True)]
    if verdict != "certified":
        first = str(reasons[0]) if isinstance(reasons, list) and reasons else "no reason is told"
        return f"{verdict}", [Obstacle(str(path), f"{verdict}: {first}", again, doubt=verdict != "refuted")]
    return f"{verdict}, of the files of today" + (f", until {until}" if until else ""), []


def _stale(subject: Subject, said: Mapping[str, object]) -> list[str]:
    """What the certificate rests on and has changed since."""
    digests, engine = said.get("digests"), said.get("engine")
    before = digests if isinstance(digests, dict) else {}
    changed = [name for name in {**before, **subject.digests} if before.get(name) != subject.digests.get(name)]
    same_engine = isinstance(engine, dict) and engine.get("digest") == engine_digest()
    return [*changed, *([] if same_engine else ["connproof itself"])]


# The baselines.


def _baselines(
    subject: Subject, code: Sequence[Path], root: Path, targets: Sequence[str], without: Sequence[str]
) -> tuple[list[str], list[tuple[str, str]], list[Obstacle]]:
    """The lanes whose baseline this code returned; listings with another's; and those with none, but for `without`."""
    listings = {one.id: one for one in subject.connector.operations() if one.is_list}
    unknown = [name for name in without if name not in listings]
    if unknown:
        raise CallWrong(
            f"{subject.name} has no listing {unknown[0]}",
            facts={"there are": ", ".join(listings) or "none"},
            fix="name with --without what the old code never gave",
        )
    stored = {lane: subject.snapshots.read(lane) for lane in subject.lanes}
    told = {lane: snapshot.baseline for lane, snapshot in stored.items() if snapshot is not None}
    old = {lane: by for lane, by in told.items() if by.kind == "old code"}
    of_this = [lane for lane, by in old.items() if _is_of(by, code, root, targets)]
    of_another = [lane for lane, by in old.items() if lane not in of_this and _names(by, code)]
    obstacles = [_another_version(subject, lane, old[lane]) for lane in of_another]
    if not of_this and not of_another:
        what = "no baseline was returned by this code: what it gives is not known"
        fix = f"connproof baseline {subject.folder} LANE{' --replace' if told else ''} -- COMMAND"
        obstacles.append(Obstacle(str(code[0]), what, fix))
    others: list[tuple[str, str]] = []
    for name, operation in listings.items():
        lanes = [lane for lane in told if _gives(subject, lane, operation)]
        if name in without or not lanes or any(lane in (*of_this, *of_another) for lane in lanes):
            continue
        if of_others := [lane for lane in lanes if lane in old]:
            others.append((name, f"old code: {old[of_others[0]].by}"))
        elif of_this or of_another:
            obstacles.append(_engines_own(subject, name, lanes[0]))
    others += [(name, "not of the old code, says --without") for name in without]
    return of_this, others, obstacles


def _another_version(subject: Subject, lane: str, by: Baseline) -> Obstacle:
    return Obstacle(
        lane,
        f"its baseline is of another version of this code, or of more than this: {by.by}",
        f"connproof baseline {subject.folder} {lane} --replace -- COMMAND; or name all of the code with --legacy",
    )


def _engines_own(subject: Subject, listing: str, lane: str) -> Obstacle:
    return Obstacle(
        listing,
        "its baseline is this engine's own: nothing shows what the old code returned",
        f"connproof baseline {subject.folder} {lane} --replace -- COMMAND; or --without {listing}, where the old code "
        "never gave it",
    )


def _gives(subject: Subject, lane_id: str, operation: Operation) -> bool:
    """Whether a lane reads records of a listing to its end, for no account's own: the old code could have, too."""
    lane = subject.lanes[lane_id].lane
    if lane.operation != operation.id or is_write(operation, lane) or (lane.call and lane.call.account):
        return False
    snapshot = subject.snapshots.read(lane_id)
    return snapshot is not None and snapshot.outcome == COMPLETE and bool(snapshot.records)


def _is_of(by: Baseline, code: Sequence[Path], root: Path, targets: Sequence[str]) -> bool:
    """Whether a baseline is of this code as it is today.

    Its digest is over all that was named, over a part of it, over the files that its command names, or over a folder
    that the code is in.
    """
    files = [root / target for target in targets]
    if any(digest_of(paths) == by.digest for paths in [list(code), *([path] for path in (*code, *files))]):
        return True
    if not _names(by, code):
        return False
    folders = {folder for file in files for folder in file.parents if folder.is_relative_to(root) and folder != root}
    return any(digest_of(paths) == by.digest for paths in [_named(by), *([folder] for folder in sorted(folders))])


def _names(by: Baseline, code: Sequence[Path]) -> bool:
    """Whether a baseline's command names this code."""
    return any(file.resolve().is_relative_to(path.resolve()) for path in code for file in _named(by))


def _named(by: Baseline) -> tuple[Path, ...]:
    """The files that a baseline's command names, as far as they are there."""
    try:
        return code_among(shlex.split(by.by))
    except (CallWrong, ValueError):
        return ()


def _open(subject: Subject, lanes: Sequence[str]) -> Iterator[Obstacle]:
    """What differs from what this code returned, and is not waived."""
    for lane in lanes:
        parity = _parity(subject, lane)
        see = f"connproof parity {subject.folder} --lane {lane}"
        if isinstance(parity, Inconclusive):
            yield Obstacle(lane, parity.reason, parity.fix, doubt=True)
        elif not parity.ends_alike:
            yield Obstacle(lane, f"ended in {parity.run.outcome}; the old code: {parity.stored.outcome}", see)
        elif not parity.holds:
            kinds = list(dict.fromkeys(f"{d.pattern or '(record)'} ({d.kind})" for d in parity.judged.open))
            kinds += [] if parity.requests_hold else ["what is asked for (requests)"]
            more = f" (+{len(kinds) - 3} more)" if len(kinds) > 3 else ""
            yield Obstacle(lane, f"differs from the old code in {', '.join(kinds[:3])}{more}", see)


def _parity(subject: Subject, lane: str) -> LaneParity | Inconclusive:
    try:
        matched(subject, lane)
        return lane_parity(subject, lane)
    except Inconclusive as doubt:
        return doubt


def _old_lane(subject: Subject, lane: str) -> OldLane:
    parity = lane_parity(subject, lane)
    used = sorted(parity.used, key=lambda deviation: deviation.line)
    return OldLane(lane, parity.stored.baseline, len(parity.stored.records), tuple(used))


def _coverage(subject: Subject) -> Iterator[Obstacle]:
    for model, rule in unexercised(subject):
        where = f"{rule.document or subject.file}:{rule.line}"
        yield Obstacle(where, f"no record exercises {model}/{rule.name}", "record one that has it", doubt=True)


# What needs it.


def _needs(references: References) -> Iterator[Obstacle]:
    def where(one: Reference) -> str:
        return f"{one.path}:{one.line}"

    for one in references.of("needs"):
        yield Obstacle(where(one), one.how, "take it out, or have it use the connector")
    for one in references.of("may need"):
        yield Obstacle(where(one), one.how, "look whether it means this; if not: --apart", doubt=True)
    for path, why in references.unread:
        yield Obstacle(path, f"could not be read: {why}", "look whether it needs the code; if not: --apart", doubt=True)
