"""The `connproof` command: check a config, read through it, pass a raw request; and what plugins add.

Records and answers go to stdout, everything for people to stderr. Exit codes: 0 done; 1 the read broke
off, by the provider or by a record that cannot be mapped; 2 the call or a document is wrong; 130 interrupted.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from importlib.metadata import entry_points, version
from pathlib import Path
from typing import Annotated, Final, NoReturn

import typer

from connproof import config, sync
from connproof.clock import SystemClock
from connproof.errors import CallWrong, ConfigWrong, ConnproofError, MappingFailed, ProviderSaid
from connproof.events import Event, PageRead, ReadEnded
from connproof.live import check_mappings
from connproof.mapping import load_model
from connproof.model import Account, Connector, Query
from connproof.overrides import Layer
from connproof.places import JsonValue
from connproof.run import Call, Record
from connproof.stores import ConfigStore, DatabaseStore, FileStore, Key, account_in, as_layer, base
from connproof.transport import HttpxTransport

__all__ = ["app", "main"]

_INTERRUPTED: Final = 130  # as shells have it; typer's own code too

app = typer.Typer(
    name="connproof",
    help="Connectors as data: check them, read through them, certify them.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

ConnectorArgument = Annotated[
    str, typer.Argument(help="A connector's folder or connector.json, or its name under connectors/.")
]
AccountOption = Annotated[
    str | None,
    typer.Option("--account", help="An account file, or the name of one in the connector's folder accounts/."),
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
                wrong = _faults(file, allow_loopback=allow_loopback)
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
    allow_loopback: LoopbackOption = False,
) -> None:
    """Read a resource's records as NDJSON on stdout, one a line; progress on stderr.

    An operation that gives one record, such as get, gives one line.
    """
    gathered = (
        _in_files(connector, account, environment)
        if store is None
        else _in_database(connector, account, environment, store)
    )
    loaded = config.layered(
        gathered.data, gathered.layers, folder=gathered.home.name, name=gathered.document, allow_loopback=allow_loopback
    )
    call = Call(_params(param), _pairs(query), page_size=page_size, limit=limit, resume=resume, raw=raw)
    transport = HttpxTransport(user_agent=_user_agent(), allow_loopback=allow_loopback)
    owner, models = gathered.account, _models(loaded, gathered.home)
    if _gives_one(loaded, resource, operation or "list"):
        _put_record(sync.one(loaded, resource, operation, call, transport=transport, account=owner, models=models))
        return
    with closing(
        sync.read(
            loaded, resource, operation, call, transport=transport, account=owner, models=models, listener=_progress
        )
    ) as records:
        for record in records:
            _put_record(record)


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
    allow_loopback: LoopbackOption = False,
) -> None:
    """Send one request through the authenticated connection; the body goes to stdout byte for byte."""
    gathered = _in_files(connector, account, None)
    loaded = config.parse(
        gathered.data, folder=gathered.home.name, name=gathered.document, allow_loopback=allow_loopback
    )
    answer = sync.raw(
        loaded,
        method,
        path,
        transport=HttpxTransport(user_agent=_user_agent(), allow_loopback=allow_loopback),
        account=gathered.account,
        headers=tuple(_pair(text, ":", "NAME: VALUE") for text in header or ()),
        body=data.read_bytes() if data else None,
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


def _add_plugin_commands() -> None:
    """The commands of other packages, such as certify; those whose extra is not installed say so when called."""
    for point in sorted(entry_points(group="connproof.commands"), key=lambda point: point.name):
        try:
            commands = point.load()
        except ModuleNotFoundError as missing:
            _add_missing(missing.name or "a package")
            continue
        app.add_typer(commands)


def _add_missing(package: str) -> None:
    def explain() -> None:
        raise CallWrong(f"this command needs {package}, which is not installed", fix="pip install 'connproof[pytest]'")

    for name in ("certify", "import", "export", "drift", "versions"):
        app.command(
            name,
            help="Needs connproof[pytest].",
            context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
        )(explain)


def _connectors_in(path: Path) -> list[Path]:
    """The connectors of a folder of connectors; else the path itself."""
    is_one = not path.is_dir() or (path / "connector.json").exists()
    return [path] if is_one else sorted(path.glob("*/connector.json")) or [path]


def _folder(file: Path) -> FileStore:
    """The folder of connectors in which a connector.json is; as it was written, where that names it."""
    home = file.resolve().parent
    return FileStore(file.parent.parent if file.parent.name == home.name else home.parent)


def _located(text: str) -> Path:
    named = Path("connectors") / text
    return config.locate(named if not Path(text).exists() and named.exists() else Path(text))


def _faults(file: Path, *, allow_loopback: bool) -> list[str]:
    """What is wrong in a connector's document, else in those of its environments and accounts."""
    home, data = file.resolve().parent, file.read_bytes()

    def fault(*layers: Layer) -> str | None:
        try:
            loaded = config.layered(data, layers, folder=home.name, name=str(file), allow_loopback=allow_loopback)
            check_mappings(loaded, _models(loaded, home), SystemClock())
        except ConfigWrong as wrong:
            return str(wrong)
        return None

    if alone := fault():
        return [alone]
    folder = _folder(file)
    environments, accounts = folder.layers(home.name, "environment"), folder.layers(home.name, "account")
    faults = {layer: fault(layer) for layer in (*environments, *accounts)}
    # What is right by itself may still be wrong over an environment.
    together = [
        fault(environment, account)
        for environment in environments
        for account in accounts
        if faults[environment] is None and faults[account] is None
    ]
    return list(dict.fromkeys(text for text in (*faults.values(), *together) if text is not None))


@dataclass(frozen=True, slots=True)
class _Gathered:
    """A connector's document with what is laid over it, and on whose behalf it is asked. `home` is its folder."""

    home: Path
    data: bytes = field(repr=False)
    document: str
    layers: list[Layer]
    account: Account


def _in_files(connector: str, account: str | None, environment: str | None) -> _Gathered:
    file = _located(connector)
    home, data = file.resolve().parent, file.read_bytes()
    layers = [] if environment is None else [_environment(_folder(file), home.name, environment)]
    if account is None:
        return _Gathered(home, data, str(file), layers, Account())
    path = _account_file(file.parent, account)
    owner = account_in(path)
    return _Gathered(home, data, str(file), [*layers, Layer("account", path.stem, path.read_bytes(), str(path))], owner)


def _in_database(connector: str, account: str | None, environment: str | None, url: str) -> _Gathered:
    """As from files; credentials stay in the account's file, and overrides beside them would not be read."""
    home = Path("connectors") / connector
    with closing(DatabaseStore(url)) as store:
        kept = base(store, connector)
        layers = [] if environment is None else [_environment(store, connector, environment)]
        if account is None:
            return _Gathered(home, kept.data, kept.document, layers, Account())
        path = _account_file(home, account)
        owner = account_in(path)
        if "overrides" in config.load_account_document(path):
            raise CallWrong(
                f"{path} has overrides, and overrides are read from the store",
                fix="put them there, or leave out --store",
            )
        key = Key(connector, "account", path.stem)
        own = store.read(key)
    layers += [] if own is None else [as_layer(key, own)]
    return _Gathered(home, kept.data, kept.document, layers, owner)


def _environment(store: ConfigStore, connector: str, name: str) -> Layer:
    key = Key(connector, "environment", name)
    kept = store.read(key)
    if kept is None:
        raise CallWrong(f'{connector} has no environment "{name}"', fix="name another, or write its document")
    return as_layer(key, kept)


def _account_file(home: Path, account: str) -> Path:
    """What is written as a path is one; a name is that of a file in the connector's folder."""
    path = Path(account)
    if path.suffix == ".json" or path.name != account:
        return path
    return home / "accounts" / f"{Key(home.absolute().name, 'account', account).name}.json"


def _models(connector: Connector, home: Path) -> dict[str, JsonValue]:
    """The unified models that a connector maps to, from the folder beside its own."""
    folder = home.resolve().parent / "unified"
    return {model: load_model(folder, model) for model in connector.unified} if folder.is_dir() else {}


def _gives_one(connector: Connector, target: str, operation: str) -> bool:
    """Whether the operation is there and gives one record; the engine says what is wrong with any other."""
    mapping = connector.unified.get(target)
    resource = connector.resources.get(mapping.resource if mapping else target)
    asked = resource.operations.get(operation) if resource else None
    return asked is not None and not asked.is_list


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


def _counted(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def _user_agent() -> str:
    return f"connproof/{version('connproof')}"


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
