"""The harness's own commands, a file each; the `connproof` command finds them by entry point.

Whatever replays or serves is imported inside the command that does, and so is all that an extra brings: every call of
`connproof`, also of the engine's own commands, loads this package.
"""

from __future__ import annotations

import typer

from pytest_connproof.commands import audit, baseline, certify, drift, export, import_, migrated, new, parity, versions

__all__ = ["app"]

app = typer.Typer(rich_markup_mode=None)

# As help lists them: what there is, the daily ones, moving old code, beginning.
for _one in (audit, certify, import_, export, drift, versions, baseline, parity, migrated, new):
    app.add_typer(_one.app)
