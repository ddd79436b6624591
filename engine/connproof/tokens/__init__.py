"""Keep an account's access token alive: refreshed in time, once for all workers, and never lost in silence.

`deciding` says what may be done with a row, `judging` what an answer means: both pure. `exchange` is one refresh,
`lifecycle` what callers see. docs/tokens.md tells what is promised.
"""

from __future__ import annotations

from connproof.tokens.lifecycle import Held, Tokens
from connproof.tokens.steps import STEPS, Guards, Steps
from connproof.tokens.timing import Timing

__all__ = ["STEPS", "Guards", "Held", "Steps", "Timing", "Tokens"]
