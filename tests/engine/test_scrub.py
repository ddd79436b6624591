"""Secrets taken out of texts: whole, in part, and in every encoding in which an answer may echo them."""

from __future__ import annotations

import base64
import html
import json
import string
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connproof.places import JsonValue
from connproof.scrub import MARK, Scrubber, texts_in

SECRET = 'k3y/"Zq+ü=Ab~9&x 7'

ENCODINGS: dict[str, Callable[[str], str]] = {
    "raw": str,
    "JSON": lambda text: json.dumps({"sent": text}),
    "JSON as UTF-8": lambda text: json.dumps({"sent": text}, ensure_ascii=False),
    "JSON with escaped slashes": lambda text: json.dumps(text).replace("/", "\\/"),
    "JSON in JSON": lambda text: json.dumps(json.dumps(text)),
    "percent": lambda text: quote(text, safe=""),
    "percent, lower case": lambda text: quote(text, safe="").lower(),
    "percent, slashes kept": quote,
    "percent twice": lambda text: quote(quote(text, safe=""), safe=""),
    "form": quote_plus,
    "HTML": html.escape,
    "Python": repr,
    "hex": lambda text: text.encode().hex(),
    "hex, upper case": lambda text: text.encode().hex().upper(),
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64 for URLs": lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
    "base64 after one byte": lambda text: base64.b64encode(b":" + text.encode()).decode(),
    "base64 after two bytes": lambda text: base64.b64encode(b"u:" + text.encode() + b"!").decode(),
}


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_S34_secret_is_found_in_every_encoding(encoding: str) -> None:
    """What a provider echoes of a credential goes; what it says about it stays."""
    echoed = ENCODINGS[encoding](SECRET)

    scrubbed = Scrubber([SECRET]).text(f"no such token <{echoed}>, try again")

    assert scrubbed.startswith("no such token <")
    assert scrubbed.endswith(">, try again")
    assert MARK in scrubbed
    assert len(scrubbed) < len(f"no such token <{MARK}>, try again") + 16  # of base64, the edges are not the secret's


@pytest.mark.parametrize("part", [slice(0, 14), slice(10, 30), slice(-13, None)], ids=["start", "middle", "end"])
def test_S34_part_of_a_secret_goes_too(part: slice) -> None:
    """Providers cut what they echo."""
    token = "eyJraWQiOiJ0ZXN0In0.c2FtcGxlLXRva2Vu.Zm9yLXRlc3Rz"

    assert f"bad token {MARK}..." == Scrubber([token]).text(f"bad token {token[part]}...")


def test_S34_basic_is_found_by_its_password() -> None:
    """What the wire had is the base64 of both sides; the password in it goes wherever it starts."""
    password = "correct-horse-9"
    for user in ("a", "ab", "abc"):
        echoed = base64.b64encode(f"{user}:{password}".encode()).decode()

        scrubbed = Scrubber([password]).text(f"Basic {echoed}")

        assert password not in base64.b64decode(scrubbed.removeprefix("Basic ").partition(MARK)[0] + "====").decode()
        assert MARK in scrubbed


def test_short_secret_is_found_whole() -> None:
    """One of four characters goes where it stands as it is; a shorter one would take ordinary words apart."""
    assert f"pin {MARK} of {MARK}" == Scrubber(["7391", "ab"]).text("pin 7391 of 7391")
    assert "abstract 739" == Scrubber(["7391", "ab"]).text("abstract 739")


def test_text_without_a_secret_stays() -> None:
    """Nothing else is touched."""
    assert "Rate limit exceeded: 100\n" == Scrubber([SECRET]).text("Rate limit exceeded: 100\n")
    assert "" == Scrubber([SECRET]).text("")
    assert "anything" == Scrubber([]).text("anything")


def test_secrets_beside_each_other_leave_one_mark() -> None:
    """How many there were is not shown."""
    assert f"<{MARK}>" == Scrubber(["first-secret-1", "second-secret-2"]).text("<first-secret-1second-secret-2>")


def test_S34_repr_of_a_scrubber_shows_no_secret() -> None:
    """It may stand in a traceback's locals."""
    assert "Scrubber(2 secrets)" == repr(Scrubber(["first-secret-1", "second-secret-2", "x"]))


def test_texts_of_credentials() -> None:
    """Values at any depth, and no names."""
    credentials: JsonValue = {
        "access_token": "t1",
        "oauth": {"keys": ["t2", {"deep": "t3"}], "expires_in": 3600, "none": None},
    }

    assert ["t1", "t2", "t3"] == list(texts_in(credentials))


@given(
    st.text(string.ascii_letters + string.digits + "-._~+/=%&\"'\\ ", min_size=12, max_size=60),
    st.sampled_from(sorted(ENCODINGS)),
    st.text(max_size=20),
    st.text(max_size=20),
)
def test_S34_no_run_of_a_secret_survives(secret: str, encoding: str, before: str, after: str) -> None:
    """Whatever stands around it, no twelve characters of the encoded secret remain."""
    scrubbed = Scrubber([secret]).text(f"{before}{ENCODINGS[encoding](secret)}{after}")

    assert all(secret[start : start + 12] not in scrubbed for start in range(len(secret) - 11))
    assert MARK in scrubbed
