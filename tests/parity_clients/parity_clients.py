"""Compare real API clients with the engine, on the same recorded traffic.

    python tests/parity_clients/parity_clients.py [CLIENT ...]

Each client lists what table.py says, in a process of its own, answered on loopback. Its records are compared with what
the engine gives of the same exchanges, before any mapping. Ends with 1 where something differs that expected.py
does not name, where that names something that no longer differs, where a client asks for what is not
recorded, or does not ask for what is, and where nothing was compared.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / folder) for folder in ("corpus", "engine")]

from comparing import compared, unused  # noqa: E402 the path is theirs
from expected import EXPECTED  # noqa: E402 as above
from table import LISTINGS  # noqa: E402 as above
from told import failed, told  # noqa: E402 as above


def main(arguments: Sequence[str] | None = None) -> int:
    known = list(dict.fromkeys(listing.client.name for listing in LISTINGS))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clients", nargs="*", metavar="CLIENT", help=f"one of {', '.join(known)}; without one, all")
    chosen = parser.parse_args(arguments).clients or known
    if unknown := [name for name in chosen if name not in known]:
        parser.error(f"there is no client {unknown[0]}: choose from {', '.join(known)}")
    every = [compared(listing, EXPECTED) for listing in LISTINGS if listing.client.name in chosen]
    unmet = unused(EXPECTED, every)
    sys.stdout.write(f"{told(every, unmet)}\n")
    return int(failed(every, unmet))


if __name__ == "__main__":
    sys.exit(main())
