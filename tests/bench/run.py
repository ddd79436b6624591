"""Measure connproof beside what a user would pick instead, with the comparison kit, in one interleaved run.

    python tests/bench/run.py [extract|replay|all] [--rounds N]

The kit is a folder outside this project (CONNPROOF_BENCH, else ../shared/bench). Its peers stand in virtual
environments of their own (BENCH_VENVS; see the kit's README); those that are missing are left out,
and said to be. Figures are ratios within one run: these machines are noisy.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from types import ModuleType
from typing import Any

HERE = Path(__file__).resolve().parent
KIT = Path(os.environ.get("CONNPROOF_BENCH", HERE.parents[2] / "shared" / "bench"))
DIGEST = "0682bc76bf26c8b2"
REFERENCE = "hand httpx+json"


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("what", nargs="?", default="all", choices=["extract", "replay", "all"])
    arguments.add_argument("--rounds", type=int, default=5)
    said = arguments.parse_args()
    if not KIT.is_dir():
        print(f"no comparison kit at {KIT}; set CONNPROOF_BENCH to its folder", file=sys.stderr)
        return 2
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # a user's second run does not compile everything again
    with tempfile.TemporaryDirectory(prefix="connproof-bench-") as temporary:
        kit = Path(temporary) / "kit"
        shutil.copytree(KIT, kit, copy_function=shutil.copyfile)
        for folder in [kit, *kit.rglob("*")]:
            folder.chmod(0o755 if folder.is_dir() else 0o644)
        os.environ["CONNPROOF_BENCH_PEERS"] = str(kit / "peers")
        runner = _module(kit / "run_all.py")
        if said.what in {"extract", "all"}:
            extract(runner, said.rounds)
        if said.what in {"replay", "all"}:
            replay(runner, kit, Path(temporary) / "project", said.rounds)
    return 0


def extract(runner: ModuleType, rounds: int) -> None:
    """Read 200 pages of 100 records and map 15 fields, beside the kit's peers. Checks the digest first."""
    ours = f"{sys.executable} {HERE / 'extract.py'} {{base}} {{mode}}"
    server = runner.Server(8950, 200)
    try:
        verified = runner.spawn(ours.format(base=server.base, mode="cursor") + " --verify")
    finally:
        server.stop()
    digest = runner.last_json(verified["out"]).get("digest")
    print(f"digest {digest} ({'as it must be' if digest == DIGEST else f'MUST BE {DIGEST}'})")
    if digest != DIGEST:
        raise SystemExit(1)
    wanted = [name for name, command, _ in runner.EXTRACT if _installed(command)]
    missing = [name for name, command, _ in runner.EXTRACT if not _installed(command)]
    peers = [name for name in (REFERENCE, "hand httpx+orjson", "dlt rest_api + add_map") if name in wanted]
    print(f"beside: {', '.join(peers) or 'nothing'}; not installed: {len(missing)} of {len(runner.EXTRACT)} peers")
    only = "|".join(f"^{name.replace('+', chr(92) + '+')}$" for name in peers) or "^$"
    command = ["extract", "--rounds", str(rounds), "--only", only, "--candidate", f"connproof={ours}"]
    subprocess.run([sys.executable, str(runner.__file__), *command], check=True)


def replay(runner: ModuleType, kit: Path, project: Path, rounds: int) -> None:
    """One replay check (3 exchanges, 30 mapped records compared) beside a test written by hand of the same."""
    peers_python = runner.V("harness")
    if not Path(peers_python).exists():
        print(f"no virtual environment of the kit at {peers_python}: see its README", file=sys.stderr)
        raise SystemExit(2)
    subprocess.run([peers_python, str(kit / "harness" / "gen_corpus.py")], check=True)
    sys.path.insert(0, str(HERE))
    cases = _module(HERE / "replay_project.py").build(kit / "harness" / "corpus", project, _fields(kit))
    (kit / "harness" / "empty").mkdir(exist_ok=True)
    pytest = "-m pytest -q -p no:cacheprovider"
    plugins = "-p pytest_connproof.plugin -p syrupy"
    # Name to command, folder, and how many tests or checks it runs.
    rows: dict[str, tuple[str, Path, int]] = {
        "empty pytest, kit's environment": (f"{peers_python} {pytest} .", kit / "harness" / "empty", 0),
        "empty pytest, ours": (f"{sys.executable} {pytest} {plugins} .", kit / "harness" / "empty", 0),
        "httpx.MockTransport, by hand": (f"{peers_python} {pytest} .", kit / "harness" / "mock", cases),
        "connproof: PAR-001 of each case": (
            f"{sys.executable} {pytest} {plugins} connectors -k PAR-001",
            project,
            cases,
        ),
        # The kit's invented phone numbers are no placeholders, so REC-002 rightly refuses its recordings.
        "connproof: all replay and parity checks of each case (7)": (
            f'{sys.executable} {pytest} {plugins} connectors -m "replay or parity"',
            project,
            7 * cases,
        ),
    }
    measured: dict[str, list[float]] = {name: [] for name in rows}
    for command, folder, _ in rows.values():
        runner.spawn(command, str(folder))  # once unmeasured: byte code is written
    for number in range(rounds):
        for name, (command, folder, _) in rows.items():
            run: dict[str, Any] = runner.spawn(command, str(folder))
            if run["rc"] not in {0, 5}:
                raise SystemExit(f"{name} ended with {run['rc']}:\n{run['out'][-2000:]}")
            measured[name].append(run["cpu"])
        print(f"-- replay round {number + 1}/{rounds}", flush=True)
    print("\n| three exchanges, 30 mapped records compared | CPU ms a case | a test or check |\n|---|--:|--:|")
    for name, (_, _, tests) in rows.items():
        if tests:
            whose = "ours" if name.startswith("connproof") else "kit's environment"
            empty = measured[f"empty pytest, {whose}"]
            cost = 1000 * statistics.median(a - b for a, b in zip(measured[name], empty, strict=True))
            print(f"| {name} | {cost / cases:.2f} | {cost / tests:.2f} |")


def _fields(kit: Path) -> dict[str, tuple[str, ...]]:
    held, sys.argv = sys.argv, ["common"]  # the kit's module reads the command line
    try:
        fields: dict[str, tuple[str, ...]] = _module(kit / "peers" / "common.py").FIELDS
    finally:
        sys.argv = held
    return fields


def _installed(command: str) -> bool:
    return Path(command.split(maxsplit=1)[0]).exists()


def _module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None, f"{path} is a Python file"
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    raise SystemExit(main())
