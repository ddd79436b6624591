"""Sealing: what opens and what does not, which key does what, and where keys come from."""

from __future__ import annotations

import base64
import sys
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connproof.errors import CallWrong
from connproof.model import Secret
from connproof.stores import KEY_VARIABLE, Sealing, add_to_keyring, new_key, sealing_from

OLD, NEW = new_key(), new_key()
PLACE = {"account": "shop/acme", "column": "refresh"}


@given(st.text())
def test_what_is_sealed_opens(text: str) -> None:
    """Whatever it is."""
    sealing = Sealing([NEW])

    assert text == sealing.open(sealing.seal(text, **PLACE), **PLACE)


def test_a_sealed_text_says_nothing() -> None:
    """Not the token, and not that two are the same."""
    sealing = Sealing([NEW])

    first, second = sealing.seal("token-token", **PLACE), sealing.seal("token-token", **PLACE)

    assert first != second
    assert "token" not in first
    assert b"token" not in base64.urlsafe_b64decode(first.partition(".")[2])


@pytest.mark.parametrize("other", [{"account": "shop/beta"}, {"column": "access"}], ids=str)
def test_a_sealed_text_opens_in_its_place_alone(other: dict[str, str]) -> None:
    """Moved to another account or column by whoever can write to the database, it is unreadable."""
    sealing = Sealing([NEW])

    assert sealing.open(sealing.seal("t", **PLACE), **{**PLACE, **other}) is None


def test_no_two_places_are_taken_for_one() -> None:
    """However a name is written."""
    sealing = Sealing([NEW])

    assert sealing.open(sealing.seal("t", account="a", column="bc"), account="ab", column="c") is None


@given(st.data())
def test_what_is_damaged_does_not_open(data: st.DataObject) -> None:
    """One letter changed, or cut short: nothing, and no exception that could quote it."""
    sealing = Sealing([NEW])
    sealed = sealing.seal("token", **PLACE)
    at = data.draw(st.integers(0, len(sealed) - 1))
    letter = data.draw(st.characters(min_codepoint=32, max_codepoint=300).filter(lambda c: c != sealed[at]))
    changed = sealed[:at] + letter + sealed[at + 1 :]

    assert sealing.open(sealed[:at], **PLACE) is None
    # The last letter has bits that stand for nothing.
    assert sealing.open(changed, **PLACE) is None or at == len(sealed.rstrip("=")) - 1


@pytest.mark.parametrize("text", ["", ".", "token", "00000000.", f"{'0' * 8}.{'A' * 64}", "ä.ö"])
def test_what_was_never_sealed_does_not_open(text: str) -> None:
    """Nothing of it is shown."""
    assert Sealing([NEW]).open(text, **PLACE) is None


def test_the_newest_key_seals_and_every_key_opens() -> None:
    """So a key is replaced: the new one before the old, until nothing is sealed under that any more."""
    before, during, after = Sealing([OLD]), Sealing([NEW, OLD]), Sealing([NEW])
    old, new = before.seal("t", **PLACE), during.seal("t", **PLACE)

    assert ["t", "t"] == [during.open(old, **PLACE), during.open(new, **PLACE)]
    assert [None, "t"] == [after.open(old, **PLACE), after.open(new, **PLACE)]


def test_a_mark_is_the_same_for_the_same_token() -> None:
    """And another under another key; one that an older key made is found."""
    before, during = Sealing([OLD]), Sealing([NEW, OLD])
    token = Secret("token")

    assert before.mark(token) == before.mark(Secret("token"))
    assert before.mark(token) != before.mark(Secret("tokem"))
    assert before.mark(token) != during.mark(token)
    assert (during.mark(token), before.mark(token)) == during.marks(token)
    assert "token" not in before.mark(token)


def test_no_token_has_no_mark() -> None:
    """No two accounts without one are taken for the same."""
    assert ("", ()) == (Sealing([NEW]).mark(None), Sealing([NEW]).marks(None))


SHORT = base64.urlsafe_b64encode(b"x" * 31).decode()


@pytest.mark.parametrize(
    "key",
    [SHORT, NEW[:-3], f"{NEW}AAAA", "no key at all", "ключ", "="],
    ids=["a byte short", "cut off", "too long", "words", "Cyrillic", "padding alone"],
)
def test_what_is_no_key_is_refused(key: str) -> None:
    """Without a word of it; with how to make one."""
    with pytest.raises(CallWrong, match="connproof accounts key") as caught:
        Sealing([NEW, key])

    assert key not in str(caught.value)


@pytest.mark.parametrize("between", [",", " ", ", ", "\n"])
def test_keys_come_from_the_environment(between: str) -> None:
    """Newest first."""
    sealing = sealing_from({KEY_VARIABLE: f"{NEW}{between}{OLD}\n"})

    assert Sealing([NEW, OLD]).marks(Secret("t")) == sealing.marks(Secret("t"))


class KeyringError(Exception):
    """As the package's own."""


class NoKeyringError(KeyringError):
    """As the package's own."""


def ring(monkeypatch: pytest.MonkeyPatch, **words: Any) -> None:
    """A keyring of the tests' own."""
    package, errors = ModuleType("keyring"), ModuleType("keyring.errors")
    package.__dict__.update(words)
    errors.__dict__.update(KeyringError=KeyringError, NoKeyringError=NoKeyringError)
    monkeypatch.setitem(sys.modules, "keyring", package)
    monkeypatch.setitem(sys.modules, "keyring.errors", errors)


def failing(error: type[Exception]) -> Any:
    def asked(*_: str) -> None:
        raise error(NEW)

    return asked


def test_without_the_environment_keys_come_from_the_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which is not asked where the environment has one."""
    ring(monkeypatch, get_password=lambda *_: OLD)

    assert Sealing([OLD]).mark(Secret("t")) == sealing_from({}).mark(Secret("t"))
    assert Sealing([NEW]).mark(Secret("t")) == sealing_from({KEY_VARIABLE: NEW}).mark(Secret("t"))


@pytest.mark.parametrize("asked", [lambda *_: None, failing(NoKeyringError)], ids=["empty", "none"])
def test_without_any_key_it_is_said_how_to_make_one(monkeypatch: pytest.MonkeyPatch, asked: Any) -> None:
    """An empty variable is no key."""
    ring(monkeypatch, get_password=asked)

    with pytest.raises(CallWrong, match="no key") as caught:
        sealing_from({KEY_VARIABLE: ""})

    assert "connproof accounts key" in str(caught.value)
    assert KEY_VARIABLE in str(caught.value)


def test_without_the_package_a_keyring_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an extra."""
    monkeypatch.setitem(sys.modules, "keyring", None)

    with pytest.raises(CallWrong, match="no key"):
        sealing_from({})
    with pytest.raises(CallWrong, match=r"connproof\[keyring\]"):
        add_to_keyring(NEW)


def test_a_keyring_that_fails_is_told_without_what_it_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may quote the key."""
    ring(monkeypatch, get_password=failing(KeyringError), set_password=failing(KeyringError))

    for what in (lambda: sealing_from({}), lambda: add_to_keyring(OLD)):
        with pytest.raises(CallWrong, match="KeyringError") as caught:
            what()
        assert NEW not in str(caught.value)
        assert OLD not in str(caught.value)
