"""The address of a database becomes a connection pool, and what messages call it. No password is in either message.

SQLite is a file; PostgreSQL is asked through psycopg, whatever the address says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from connproof.errors import CallWrong

if TYPE_CHECKING:
    import sqlalchemy

__all__ = ["cause_of", "opened"]

_DRIVERS: Final = {"postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}


def opened(url: str, store: str, **connect: dict[str, Any]) -> tuple[sqlalchemy.Engine, str]:
    """`url` is SQLAlchemy's; `store` is what messages say is kept there; `connect` has a driver's words by backend.

    Raises CallWrong.
    """
    import sqlalchemy as sa  # who reads configs from files has no use for it

    try:
        address = sa.make_url(url)
        address = address.set(drivername=_DRIVERS.get(address.drivername, address.drivername))
        words = {k: v for k, v in connect.get(address.get_backend_name(), {}).items() if k not in address.query}
        # Parameters are what is kept, which has no place in a message or a log.
        engine = sa.create_engine(address, hide_parameters=True, pool_pre_ping=True, connect_args=words)
    except sa.exc.ArgumentError:  # whose text is the URL, password included
        raise CallWrong(
            f"the address of the {store} store is not a database URL",
            fix=f"write it as sqlite:///{store}s.db or postgresql://user@host/database",
        ) from None
    except ModuleNotFoundError as missing:
        raise CallWrong(
            f"the {store} store needs {missing.name}, which is not installed",
            fix="install it; for PostgreSQL: pip install 'connproof[postgres]'",
        ) from None
    if address.get_backend_name() == "sqlite" and address.database in {None, "", ":memory:"}:
        raise CallWrong(f"a {store} store in memory would be another one in every thread", fix="name a file")
    shown = sa.URL.create(
        address.get_backend_name(), host=address.host, port=address.port, database=address.database
    ).render_as_string()
    return engine, shown


def cause_of(fault: sqlalchemy.exc.SQLAlchemyError) -> str:
    """What a database said of a failure: the first line alone, as those below it may quote a row."""
    said = str(getattr(fault, "orig", None) or "").strip().splitlines()
    return said[0] if said else type(fault).__name__
