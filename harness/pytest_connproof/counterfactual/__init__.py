"""From one recording, the conversations that it might have been: each with one fault in it, and what must come of it.

A recording shows one day. What is derived here are the others: credentials that end in the middle, a throttle, a body
that is cut off, a page that comes again, a field of another type. Everything is a pure function of the recorded lane
and the config; the checks play the altered lanes, and judge what comes of them.

A fault is derived where recording and config together say what must come of it, and nowhere else.
"""

from __future__ import annotations

from pytest_connproof.counterfactual.altered import Altered, Must, answered_with, spread
from pytest_connproof.counterfactual.breaks import BREAKS, breaks
from pytest_connproof.counterfactual.fields import FIELDS, odd_fields, takes_in_all
from pytest_connproof.counterfactual.going_on import asked_before, first_other, rest
from pytest_connproof.counterfactual.pages import PAGES, odd_pages

__all__ = [
    "BREAKS",
    "FIELDS",
    "PAGES",
    "Altered",
    "Must",
    "answered_with",
    "asked_before",
    "breaks",
    "first_other",
    "odd_fields",
    "odd_pages",
    "rest",
    "spread",
    "takes_in_all",
]
