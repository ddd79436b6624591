"""The commands `connproof accounts`: give an account its tokens, look at how they are, take them away.

What is read is the answer of a token endpoint as it came, in the connector's own dialect. What is printed is
everything about a token but the token.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import typer

from connproof.auth.token_response import TokenGranted, read_token_response, token_document
from connproof.clock import SystemClock
from connproof.config import locate
from connproof.errors import CallWrong, printable
from connproof.model import Account, Connector, Response, Secret, TokenPair, TokenRow
from connproof.named import in_files
from connproof.stores import DatabaseTokens, Key, add_to_keyring, new_key, sealing_from

__all__ = ["STORE_VARIABLE", "app"]

STORE_VARIABLE: Final = "CONNPROOF_TOKEN_STORE"
_MOST_BYTES: Final = 1024 * 1024  # of a token endpoint's answer
_SENT_AS: Final = {b"{": "application/json", b"<": "application/xml"}  # by its first letter; else a form

app = typer.Typer(
    help="The tokens of connected accounts: kept sealed in a database, never printed.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

NameArgument = Annotated[str, typer.Argument(metavar="CONNECTOR", help="A connector's name, or its folder.")]
AccountArgument = Annotated[str, typer.Argument(metavar="ACCOUNT", help="What the account is to be called by.")]
TokensOption = Annotated[
    str, typer.Option("--tokens", metavar="FILE|-", help="The token endpoint's answer as it came; - is stdin.")
]
StoreOption = Annotated[
    str | None,
    typer.Option(
        "--store",
        help=f"sqlite:///FILE or postgresql://...; default: {STORE_VARIABLE}, else tokens.db in the user's own folder.",
    ),
]


@app.command()
def add(connector: NameArgument, account: AccountArgument, *, tokens: TokensOption, store: StoreOption = None) -> None:
    """Keep the tokens of an account that is new."""
    name, pair = _read(connector, account, tokens)
    with _opened(store) as kept:
        if asyncio.run(kept.read(name)) is not None:
            raise CallWrong(
                f"{name} has tokens already", fix="give it those of a new consent with `connproof accounts reauthorise`"
            )
        _print(_described(asyncio.run(kept.connect(name, pair))))


@app.command()
def reauthorise(
    connector: NameArgument, account: AccountArgument, *, tokens: TokensOption, store: StoreOption = None
) -> None:
    """Give an account the tokens of a new consent. A refresh that is under way is dropped."""
    name, pair = _read(connector, account, tokens)
    with _opened(store) as kept:
        _found(asyncio.run(kept.read(name)), name)
        _print(_described(asyncio.run(kept.connect(name, pair))))


@app.command("list")
def list_accounts(
    connector: Annotated[
        str | None, typer.Argument(metavar="CONNECTOR", help="A connector's name, or its folder. Default: every one.")
    ] = None,
    *,
    store: StoreOption = None,
) -> None:
    """A line for each account: its state, generation, and when its access token ends."""
    with _opened(store) as kept:
        rows = asyncio.run(kept.accounts("" if connector is None else f"{_name(connector)}/"))
    table = [("account", "state", "reason", "generation", "access ends")]
    table += [
        (row.account, row.state, row.reason or "-", f"{row.generation}", _instant(row.expires_at)) for row in rows
    ]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    _print("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in table)


@app.command()
def show(connector: NameArgument, account: AccountArgument, *, store: StoreOption = None) -> None:
    """How an account's tokens are: state, generation, lease, back-off, what waits."""
    name = _account(_name(connector), account)
    with _opened(store) as kept:
        row = _found(asyncio.run(kept.read(name)), name)
        now, blocked = asyncio.run(_around(kept, _name(connector)))
    _print(_described(row, now=now, blocked=blocked))


@app.command()
def remove(connector: NameArgument, account: AccountArgument, *, store: StoreOption = None) -> None:
    """Forget an account's tokens. The provider is not told: they stay valid there until they are revoked or end."""
    name = _account(_name(connector), account)
    with _opened(store) as kept:
        _found(asyncio.run(kept.remove(name)), name)
    _print([f"{name}: removed"])


@app.command()
def unblock(connector: NameArgument, *, store: StoreOption = None) -> None:
    """Let a connector's OAuth clients be used again, after their ids, secrets or rights were put right."""
    name = _name(connector)
    with _opened(store) as kept:
        blocked = asyncio.run(_unblocked(kept, name))
    if not blocked:
        raise CallWrong(f"no OAuth client of {name} is blocked", fix="see `connproof accounts show`, and --store")
    _print(f"{client}: unblocked, was {reason}" for client, reason in blocked.items())


@app.command()
def key(
    *,
    keyring: Annotated[
        bool, typer.Option("--keyring", help="Put it into the keyring of the operating system, and do not print it.")
    ] = False,
) -> None:
    """Make a key to seal tokens under, and print it: for CONNPROOF_TOKEN_KEY, before those that are there."""
    made = new_key()
    if keyring:
        add_to_keyring(made)
        _print(
            [
                "the keyring has a new key, which seals from now on; what older keys sealed still opens",
                "`connproof accounts reseal` seals that anew",
            ]
        )
    else:
        _print([made])


@app.command()
def reseal(*, store: StoreOption = None) -> None:
    """Seal anew what an older key has sealed, after a new one was put before it. Then the older key may go."""
    with _opened(store) as kept:
        fates = asyncio.run(kept.reseal())
    counts = Counter(fates.values())
    _print([f"{counts['resealed']} accounts sealed anew, {counts['newest']} were under the newest key"])
    if counts["unreadable"]:
        raise CallWrong(
            "no key that is here opens the tokens of some accounts: they stay as they are",
            facts={"accounts": tuple(name for name, fate in fates.items() if fate == "unreadable")},
            fix="add the key that they were sealed under, or give them new tokens: `connproof accounts reauthorise`",
        )


async def _around(kept: DatabaseTokens, connector: str) -> tuple[float, Mapping[str, str]]:
    return await kept.now(), await kept.blocked_clients(connector)


async def _unblocked(kept: DatabaseTokens, connector: str) -> Mapping[str, str]:
    blocked = await kept.blocked_clients(connector)
    for client in blocked:
        await kept.block_client(client, "")
    return blocked


@contextmanager
def _opened(url: str | None) -> Iterator[DatabaseTokens]:
    with closing(DatabaseTokens(url or os.environ.get(STORE_VARIABLE) or _own(), sealing_from(os.environ))) as store:
        store.create()
        yield store


def _own() -> str:
    """The user's own store, where none is named."""
    folder = Path(typer.get_app_dir("connproof"))
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return f"sqlite:///{folder / 'tokens.db'}"


def _name(connector: str) -> str:
    """A connector's name; of a folder that is named by its path, the folder's own."""
    return connector if Path(connector).name == connector else locate(Path(connector)).resolve().parent.name


def _account(connector: str, account: str) -> str:
    key = Key(connector, "account", account)
    return f"{key.connector}/{key.name}"


def _found(row: TokenRow | None, name: str) -> TokenRow:
    if row is None:
        raise CallWrong(f"{name} has no tokens here", fix="see `connproof accounts list`, and --store")
    return row


def _read(connector: str, account: str, tokens: str) -> tuple[str, TokenPair]:
    """The account's name in the store, and what the file of tokens grants it."""
    named = in_files(connector, None, None)
    name = _account(named.home.name, account)
    shown = "stdin" if tokens == "-" else tokens
    if tokens == "-":
        data, at = sys.stdin.buffer.read(_MOST_BYTES + 1), SystemClock().now()
    else:
        with Path(tokens).open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
            # A lifetime counts from the answer's arrival; the file is hardly older than it.
            at = datetime.fromtimestamp(os.fstat(file.fileno()).st_mtime, UTC)
    if len(data) > _MOST_BYTES:
        raise CallWrong(f"{shown} is no token endpoint's answer: it has more than {_MOST_BYTES} bytes")
    return name, _granted(named.connector(allow_loopback=True), data, shown, at)


def _granted(connector: Connector, data: bytes, shown: str, at: datetime) -> TokenPair:
    """The pair in a token endpoint's answer. Raises CallWrong; no message shows anything of it."""
    endpoint = connector.auth.token
    if endpoint is None or endpoint.answer is None:
        raise CallWrong(f'{connector.name} has auth of type "{connector.auth.type}", which has no tokens to keep')
    sent_as = _SENT_AS.get(data.lstrip()[:1], "application/x-www-form-urlencoded")
    response = Response(200, (("content-type", sent_as),), data)
    answer = read_token_response(connector.auth, Account(), response, token_document(response), at)
    if isinstance(answer, TokenGranted):
        ends, refresh_ends = answer.expires_at, answer.refresh_expires_at
        return TokenPair(
            answer.access_token,
            answer.refresh_token,
            ends.timestamp() if ends else None,
            refresh_ends.timestamp() if refresh_ends else None,
            (ends - at).total_seconds() if ends else None,
        )
    if answer.refresh_token is not None and not answer.code:
        return TokenPair(Secret(""), answer.refresh_token)
    raise CallWrong(
        f"{shown} has no token in it",
        facts={"looked for": tuple(str(place) for place in endpoint.answer.access_token.places)},
        fix="give the token endpoint's answer as it came: JSON, XML or a form",
    )


def _described(row: TokenRow, *, now: float | None = None, blocked: Mapping[str, str] | None = None) -> list[str]:
    held = row.lease_until > (now or 0.0)
    facts = {
        "state": row.state,
        "reason": row.reason,
        "client blocked": ", ".join(f"{client} ({reason})" for client, reason in (blocked or {}).items()),
        "generation": f"{row.generation}",
        "access token": f"ends {_instant(row.expires_at)}" if row.access else "none",
        "refresh token": f"ends {_instant(row.refresh_expires_at)}" if row.refresh else "none",
        "refreshed by": f"{row.lease_owner or 'nobody'}, until {_instant(row.lease_until)}" if held else "",
        "outcome unknown": f"of {row.intent_count}, since {_instant(row.intent_first_at)}"
        if row.has_open_intent
        else "",
        "failures": f"{row.fail_count}" if row.fail_count else "",
        "waits until": _instant(row.not_before) if row.not_before > (now or 0.0) else "",
        "candidates": f"{len(row.candidates)}" if row.candidates else "",
    }
    said = {label: text for label, text in facts.items() if text}
    width = max(map(len, said))
    return [row.account, *(f"  {label:<{width}}  {text}" for label, text in said.items())]


def _instant(seconds: float | None) -> str:
    if seconds is None:
        return "nobody knows when"
    try:
        return datetime.fromtimestamp(seconds, UTC).isoformat(sep=" ", timespec="seconds").replace("+00:00", "Z")
    except (ValueError, OverflowError, OSError):  # no date of a calendar: a clock that was far off wrote it
        return "at no date"


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        typer.echo(printable(line))
