"""The `connproof` command: check a config, read through it, pass a raw request; and what plugins add.

Records and answers go to stdout, everything for people to stderr. Exit codes: 0 done; 1 the read broke
off, by the provider or by a record that cannot be mapped; 2 the call or a document is wrong; 130 interrupted.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractAsyncContextManager, closing, contextmanager
from dataclasses import replace
from importlib.metadata import entry_points, version
from pathlib import Path
from typing import Annotated, Final, NoReturn, Protocol

import typer

from connproof import accounts, config, sync
from connproof.clock import SystemClock
from connproof.documents import read_json
from connproof.errors import (
    CallWrong,
    ConnproofError,
    MappingFailed,
    ProviderSaid,
    printable,
    shortened,
)
from connproof.events import Event, PageRead, ReadEnded
from connproof.mapping import CompiledMapping
from connproof.model import Connector, Operation, Query, UnifiedMapping
from connproof.named import Named, faults_of, in_database, in_files, models_of
from connproof.places import ABSENT, Absent
from connproof.run import Call, Record
from connproof.run.mapped import Mapper
from connproof.transport import Bounds, HttpxTransport, Transport

__all__ = ["app", "main"]

_INTERRUPTED: Final = 130  # as shells have it; typer's own code too
_MOST_TOKEN_BYTES: Final = 1024 * 1024  # of a token endpoint's answer

app = typer.Typer(
    name="connproof",
    help="Connectors as data: check them, read through them, certify them.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(accounts.app, name="accounts")

ConnectorArgument = Annotated[
    str, typer.Argument(help="A connector's folder or connector.json, or its name under connectors/.")
]
AccountOption = Annotated[
    str | None,
    typer.Option("--account", help="An account file, or the name of one in the connector's folder accounts/."),
]
TokensOption = Annotated[
    str | None,
    typer.Option(
        help="The store that keeps the account's tokens, which are refreshed there: sqlite:///FILE, postgresql://..."
    ),
]
LoopbackOption = Annotated[
    bool, typer.Option("--allow-loopback", help="Let base_url be plain http on a loopback address (for tests).")
]


@app.command()
def check(
    paths: Annotated[list[Path], typer.Argument(help="Connectors, or folders of connectors.")],
    *,
    allow_loopback: LoopbackOption = False,
) -> None:
    """Check connector configs, with the environments and accounts beside them; print every problem at once.

    Exit 0, or 2 if there is one.
    """
    all_right = True
    for path in paths:
        for one in _connectors_in(path):
            try:
                file = config.locate(one)
                wrong = faults_of(file, allow_loopback=allow_loopback)
            except CallWrong as nowhere:
                wrong = [str(nowhere)]
            for fault in wrong:
                _say(fault)
            if wrong:
                all_right = False
            else:
                _put(f"{file}: ok\n".encode())
    if not all_right:
        raise typer.Exit(2)


@app.command()
def read(
    connector: ConnectorArgument,
    resource: Annotated[str, typer.Argument(help="A resource, or a unified model such as crm.contact.")],
    *,
    account: AccountOption = None,
    environment: Annotated[
        str | None, typer.Option(help="The name of a document in the connector's folder environments/.")
    ] = None,
    store: Annotated[
        str | None,
        typer.Option(help="A database that holds the connector and its layers: sqlite:///FILE, postgresql://..."),
    ] = None,
    operation: Annotated[str | None, typer.Option(help="The operation. Default: list.")] = None,
    param: Annotated[list[str] | None, typer.Option(help="A parameter of the call, as NAME=VALUE.")] = None,
    query: Annotated[list[str] | None, typer.Option(help="A further query parameter, as NAME=VALUE.")] = None,
    limit: Annotated[int | None, typer.Option(min=0, help="End after this many records.")] = None,
    page_size: Annotated[int | None, typer.Option(min=1, help="Records a page.")] = None,
    resume: Annotated[str | None, typer.Option(help="Go on where an earlier read stopped.")] = None,
    raw: Annotated[bool, typer.Option("--raw", help="The provider's own records, unmapped.")] = False,
    filters: Annotated[
        list[str] | None, typer.Option("--filter", help="A filter of the unified model, as NAME=VALUE.")
    ] = None,
    remote_data: Annotated[
        bool, typer.Option("--remote-data", help="The provider's own record beside each unified one.")
    ] = False,
    wait: Annotated[
        float | None, typer.Option(min=0, help="Wait for throttles, this many seconds in all. Default: end at once.")
    ] = None,
    replay: Annotated[
        bool, typer.Option("--replay", help="Answer from the connector's recordings, not from the network.")
    ] = False,
    explain: Annotated[
        bool, typer.Option("--explain", help="For each record a table: what each field is, and what gave it.")
    ] = False,
    tokens: TokensOption = None,
    allow_loopback: LoopbackOption = False,
) -> None:
    """Read a resource's records as NDJSON on stdout, one a line; progress on stderr.

    An operation that gives one record, such as get, gives one line.
    """
    named = (
        in_files(connector, account, environment, unnamed=_unnamed(replay=replay))
        if store is None
        else in_database(connector, account, environment, store)
    )
    loaded = named.connector(allow_loopback=allow_loopback)
    call = Call(
        _params(param),
        _pairs(query),
        filters=dict(_pairs(filters)),
        page_size=page_size,
        limit=limit,
        resume=resume,
        raw=raw or explain,
        remote_data=remote_data,
        on_throttle="raise" if wait is None else "wait",
        max_wait_s=wait or 0,
    )
    owner, models = named.account, models_of(loaded, named.home)
    put = _put_record
    if explain:
        mapping = _explained_mapping(loaded, resource, raw=raw)
        put = _Explaining(Mapper(loaded, owner, models, SystemClock(), {}).reading(mapping)).put
    with _keeping(loaded, tokens, replay=replay) as keeping:
        asked = _operation(loaded, resource, operation or "list")
        transport: sync.Opening
        if replay:
            transport = recorded = _recorded(named)
            call = call if asked is None else _else(call, recorded.call(asked.id))
        else:
            transport = _network(allow_loopback=allow_loopback)
        if asked is not None and not asked.is_list:
            put(
                sync.one(
                    loaded, resource, operation, call, transport=transport, account=owner, models=models, tokens=keeping
                )
            )
            return
        with closing(
            sync.read(
                loaded,
                resource,
                operation,
                call,
                transport=transport,
                account=owner,
                models=models,
                listener=_progress,
                tokens=keeping,
            )
        ) as records:
            for record in records:
                put(record)


@app.command()
def write(
    connector: ConnectorArgument,
    target: Annotated[str, typer.Argument(help="A resource, or a unified model such as crm.contact.")],
    operation: Annotated[str, typer.Argument(help="The operation: create, update, delete, or a name of the config's.")],
    *,
    record: Annotated[
        Path | None,
        typer.Option(help="A JSON file: a record, or a list of them for a batch.", exists=True, dir_okay=False),
    ] = None,
    account: AccountOption = None,
    param: Annotated[list[str] | None, typer.Option(help="A parameter of the call, as NAME=VALUE.")] = None,
    key: Annotated[str | None, typer.Option(help="The idempotency key. Default: one is made.")] = None,
    raw: Annotated[bool, typer.Option("--raw", help="The file holds the provider's own record.")] = False,
    replay: Annotated[
        bool, typer.Option("--replay", help="Answer from the connector's recordings, not from the network.")
    ] = False,
    tokens: TokensOption = None,
    allow_loopback: LoopbackOption = False,
) -> None:
    """Write one record or a batch; what came of it is one line of JSON on stdout. Exit 1 where an element failed."""
    named = in_files(connector, account, None, unnamed=_unnamed(replay=replay))
    loaded = named.connector(allow_loopback=allow_loopback)
    with _keeping(loaded, tokens, replay=replay) as keeping:
        done = sync.write(
            loaded,
            target,
            operation,
            ABSENT if record is None else read_json(record.read_bytes(), str(record))[0],
            Call(_params(param), raw=raw, idempotency_key=key),
            transport=_recorded(named) if replay else _network(allow_loopback=allow_loopback),
            account=named.account,
            models=models_of(loaded, named.home),
            tokens=keeping,
        )
    _put_record(done.document())
    if done.failed:
        raise typer.Exit(1)


@app.command()
def raw(
    connector: ConnectorArgument,
    method: Annotated[str, typer.Argument(help="The HTTP method.")],
    path: Annotated[str, typer.Argument(help="A path below base_url, its query included.")],
    *,
    account: AccountOption = None,
    header: Annotated[list[str] | None, typer.Option(help="A further header, as NAME: VALUE.")] = None,
    data: Annotated[
        Path | None, typer.Option(help="A file that is the request body, sent as it is.", exists=True, dir_okay=False)
    ] = None,
    tokens: TokensOption = None,
    allow_loopback: LoopbackOption = False,
) -> None:
    """Send one request through the authenticated connection; the body goes to stdout byte for byte."""
    named = in_files(connector, account, None)
    loaded = named.connector(allow_loopback=allow_loopback)
    with _keeping(loaded, tokens, replay=False) as keeping:
        answer = sync.raw(
            loaded,
            method,
            path,
            transport=_network(allow_loopback=allow_loopback),
            account=named.account,
            headers=tuple(_pair(text, ":", "NAME: VALUE") for text in header or ()),
            body=data.read_bytes() if data else None,
            tokens=keeping,
        )
    _say(f"HTTP {answer.status}  {answer.header('content-type') or 'no content type'}  {len(answer.body)} bytes")
    _put(answer.body)
    if not 200 <= answer.status < 300:
        raise typer.Exit(1)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command; turn every error a person can act on into its text and exit code."""
    _add_plugin_commands()
    try:
        app(args=arguments, prog_name="connproof", standalone_mode=True)
    except ProviderSaid as said:
        _say(str(said))
        if said.message:
            _say(f"  it says      {shortened(printable(said.message))}")
        if said.resume:
            _say(f"  resume with  --resume {said.resume}")
        raise SystemExit(1) from None
    except MappingFailed as failed:
        _say(str(failed))
        raise SystemExit(1) from None
    except ConnproofError as wrong:
        _say(str(wrong))
        raise SystemExit(2) from None
    except OSError as fault:
        _say(f"{fault.filename or 'a file'}: {fault.strerror or type(fault).__name__}")
        raise SystemExit(2) from None
    except KeyboardInterrupt:
        _say("interrupted")
        raise SystemExit(_INTERRUPTED) from None
    except SystemExit as left:
        if left.code == _INTERRUPTED:
            _say("interrupted")
        raise
    raise SystemExit(0)


def _else(call: Call, recorded: Call) -> Call:
    """A call, with all that it does not say as it was recorded."""
    return replace(
        call,
        params={**recorded.params, **call.params},
        query=call.query or recorded.query,
        body=recorded.body,
        filters=call.filters or recorded.filters,
        page_size=call.page_size or recorded.page_size,
    )


def _network(*, allow_loopback: bool) -> HttpxTransport:
    return HttpxTransport(user_agent=f"connproof/{version('connproof')}", allow_loopback=allow_loopback)


@contextmanager
def _keeping(connector: Connector, url: str | None, *, replay: bool) -> Iterator[sync.Keeping]:
    """What keeps the account's tokens in a store, where one is named."""
    if url is None:
        yield None
        return
    if replay:
        raise CallWrong("--replay has no use for tokens: recordings are signed with none", fix="leave out --tokens")
    from connproof.stores import DatabaseTokens, sealing_from  # a read that keeps no tokens starts without
    from connproof.tokens import Timing, Tokens

    owner = f"{socket.gethostname()}:{os.getpid()}"
    # A little longer than the exchange, which is to end first: it knows what it means.
    bounds = Bounds(seconds=Timing().exchange_s + 5, body_bytes=_MOST_TOKEN_BYTES)

    with closing(DatabaseTokens(url, sealing_from(os.environ))) as store:

        def kept(opened: Transport) -> Tokens:
            assert isinstance(opened, HttpxTransport), "whoever replays has no tokens"
            return Tokens(store, connector, opened.within(bounds).send, owner=owner)

        yield kept


class _Recorded(AbstractAsyncContextManager[Transport], Protocol):
    """A connector's recordings as a transport, and how an operation was called when it was recorded."""

    def call(self, operation: str) -> Call: ...


def _unnamed(*, replay: bool) -> str | None:
    """As whom a connector is called where nobody is named: recordings are replayed as the example account."""
    return "example" if replay else None


def _recorded(named: Named) -> _Recorded:
    """The connector's recordings as a transport: of the package that reads recordings, if it is installed."""
    (point,) = entry_points(group="connproof.transports", name="recordings")
    try:
        made = point.load()
    except ModuleNotFoundError as missing:
        package = missing.name or "a package"
        raise CallWrong(
            f"--replay needs {package}, which is not installed", fix="pip install 'connproof[pytest]'"
        ) from None
    recorded: _Recorded = made(named.home, named.account)
    return recorded


def _put(data: bytes) -> None:
    """Write to stdout at once: whoever reads it has every record before the provider is asked for more."""
    try:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        # The reader has what it wanted, as with `| head`. What is left must not fail when Python flushes it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(0) from None


def _put_record(record: Record) -> None:
    _put(json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode() + b"\n")


def _explained_mapping(connector: Connector, target: str, *, raw: bool) -> UnifiedMapping:
    found = connector.unified.get(target)
    models = (found,) if found else connector.models_of(target)
    if raw or len(models) != 1:
        several = ", ".join(mapping.model for mapping in models)
        raise CallWrong(
            f'"{target}" has no one mapping that could be explained',
            facts={"models": several} if several else None,
            fix="name a unified model, and leave out --raw",
        )
    return models[0]


class _Explaining:
    """Writes for each record a table of its fields."""

    def __init__(self, mapping: CompiledMapping) -> None:
        self._mapping = mapping
        self._records = 0

    def put(self, record: Record) -> None:
        self._records += 1
        rows = [("field", "value", "expression", "reads", "level", "where")]
        rows += [
            (
                field.name,
                "(left out)" if isinstance(field.value, Absent) else json.dumps(field.value, ensure_ascii=False),
                field.expression,
                ", ".join(field.paths),
                field.level,
                f"{field.document}:{field.line}",
            )
            for field in self._mapping.explained(record)
        ]
        cells = [[shortened(printable(text), 60) for text in row] for row in rows]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        lines = [
            "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in cells
        ]
        body = "".join(f"  {line}\n" for line in lines)
        _put(f"record {self._records}\n{body}".encode())


def _add_plugin_commands() -> None:
    """The commands of other packages, such as certify; those whose extra is not installed say so when called."""
    for point in sorted(entry_points(group="connproof.commands"), key=lambda point: point.name):
        try:
            commands = point.load()
        except ModuleNotFoundError as missing:
            _add_missing(missing.name or "a package")
            continue
        if all(group.typer_instance is not commands for group in app.registered_groups):  # main may be called again
            app.add_typer(commands)


def _add_missing(package: str) -> None:
    def explain() -> None:
        raise CallWrong(f"this command needs {package}, which is not installed", fix="pip install 'connproof[pytest]'")

    names = ("audit", "certify", "import", "export", "drift", "versions", "baseline", "parity", "migrated", "new")
    for name in names:
        app.command(
            name,
            help="Needs connproof[pytest].",
            context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
        )(explain)


def _connectors_in(path: Path) -> list[Path]:
    """The connectors of a folder of connectors; else the path itself."""
    is_one = not path.is_dir() or (path / "connector.json").exists()
    return [path] if is_one else sorted(path.glob("*/connector.json")) or [path]


def _operation(connector: Connector, target: str, operation: str) -> Operation | None:
    """The operation, where there is one; the engine says what is wrong with any other."""
    mapping = connector.unified.get(target)
    resource = connector.resources.get(mapping.resource if mapping else target)
    return resource.operations.get(operation) if resource else None


def _pairs(texts: list[str] | None) -> Query:
    return tuple(_pair(text, "=", "NAME=VALUE") for text in texts or ())


def _params(texts: list[str] | None) -> dict[str, str]:
    pairs = _pairs(texts)
    params = dict(pairs)
    if len(params) != len(pairs):
        raise CallWrong("--param has the same name twice", fix="a parameter has one value")
    return params


def _pair(text: str, separator: str, form: str) -> tuple[str, str]:
    name, found, value = text.partition(separator)
    if not found or not name:
        raise CallWrong(f"an option's value is not {form}")  # and is not shown: it may hold a credential
    return name.strip(), value.strip() if separator == ":" else value


def _progress(event: Event) -> None:
    if isinstance(event, PageRead) and sys.stderr.isatty():
        sys.stderr.write(f"\rpage {event.position.pages + 1}, {event.position.records + event.records} records ")
        sys.stderr.flush()
    elif isinstance(event, ReadEnded):
        clear = "\r" if sys.stderr.isatty() else ""
        counted = f"{_counted(event.pages, 'page')}, {_counted(event.records, 'record')}"
        _say(f"{clear}{counted}; ended by: {event.reason}")
        if event.bookmark:
            _say(f"  from here next time  --resume {event.bookmark}")


def _counted(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
