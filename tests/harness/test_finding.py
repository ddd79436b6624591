"""What a finding says in words: how many there are of what."""

from __future__ import annotations

import pytest

from pytest_connproof.finding import counted


@pytest.mark.parametrize(("number", "said"), [(0, "0 records"), (1, "1 record"), (2, "2 records"), (11, "11 records")])
def test_one_is_one_and_all_else_are_many(number: int, said: str) -> None:
    """None is many too."""
    assert said == counted(number, "record")
