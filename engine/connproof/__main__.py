"""`python -m connproof` is the `connproof` command."""

from __future__ import annotations

from connproof.cli import main

if __name__ == "__main__":
    main()
