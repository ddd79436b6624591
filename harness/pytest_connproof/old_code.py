"""Run code of any language against a loopback server, and take what it prints; say which code that was.

The code gets the server's address, the authority that it must trust, and proxy variables that lead whatever honours
them to the server. Its output goes to files in a temporary folder; when a run is over, however it ended, none of
its processes is left.
"""

from __future__ import annotations

import hashlib
import os
import shlex
import signal
import subprocess
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from connproof.errors import CallWrong

__all__ = ["Ran", "RanTooLong", "code_among", "commit_of", "digest_of", "leading_to", "run", "shown_command"]

_PROXIES: Final = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
_TRUST: Final = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "DENO_CERT")
# Asked whether they may: a folder of authorities would be trusted beside ours.
_LEFT_OUT: Final = ("SSL_CERT_DIR",)
_NOT_CODE: Final = frozenset({".git", "__pycache__", "node_modules", ".venv", ".mypy_cache", ".pytest_cache"})
_GRACE_S: Final = 3.0


@dataclass(frozen=True, slots=True)
class Ran:
    """A command that has ended: its exit code, and the bytes that it wrote."""

    code: int
    stdout: bytes
    stderr: bytes


class RanTooLong(Exception):
    """The command was ended, because its time was over. `stderr` is what it had said by then."""

    def __init__(self, stderr: bytes) -> None:
        super().__init__("the command was ended, because its time was over")
        self.stderr = stderr


def leading_to(proxy: str, certificate: Path) -> dict[str, str]:
    """The variables that lead a child process to a proxy, and have it trust an authority."""
    proxies = {spelt: proxy for name in _PROXIES for spelt in (name, name.lower())}
    own = dict.fromkeys(("NO_PROXY", "no_proxy"), "127.0.0.1,localhost")
    # What Node calls itself; from version 24 on (and 22.21) it then asks a proxy.
    return {**proxies, **own, **dict.fromkeys(_TRUST, str(certificate)), "NODE_USE_ENV_PROXY": "1"}


def run(command: Sequence[str], *, environment: Mapping[str, str], timeout_s: float, folder: Path) -> Ran:
    """Run a command in the current folder, its environment beside the caller's; its output passes through `folder`.

    Raises RanTooLong; CallWrong for a command that cannot be started. On Ctrl-C its processes are ended first.
    """
    out, err = folder / "stdout", folder / "stderr"
    inherited = {name: value for name, value in os.environ.items() if name not in _LEFT_OUT}
    with out.open("wb") as stdout, err.open("wb") as stderr:
        try:
            child = subprocess.Popen(  # noqa: S603 the command is the caller's own
                command,
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                env={**inherited, **environment},
                start_new_session=True,  # so that all it starts can be ended with it
            )
        except OSError as fault:
            raise CallWrong(
                f"{command[0]} cannot be started: {fault.strerror}", fix="name a program that is on the PATH, or a path"
            ) from None
        with child:
            try:
                code = child.wait(timeout_s)
            except subprocess.TimeoutExpired:
                _end(child)
                raise RanTooLong(err.read_bytes()) from None
            except BaseException:  # Ctrl-C: the child, in a session of its own, did not get it
                _end(child)
                raise
    return Ran(code, out.read_bytes(), err.read_bytes())


def _end(child: subprocess.Popen[bytes]) -> None:
    """End a process and those that it started: politely, then by force."""
    _signalled(child, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        child.wait(_GRACE_S)
    _signalled(child, getattr(signal, "SIGKILL", signal.SIGTERM))
    child.wait()


def _signalled(child: subprocess.Popen[bytes], number: int) -> None:
    with suppress(OSError):  # it ended by itself
        if hasattr(os, "killpg"):
            os.killpg(child.pid, number)
        else:
            child.terminate()


# Which code it was.


def code_among(command: Sequence[str]) -> tuple[Path, ...]:
    """The files among a command's words: the old code, as far as the command says it. Raises CallWrong for none."""
    program, *words = command
    own = [program] if os.sep in program and not Path(program).is_absolute() else []
    found = tuple(Path(word) for word in (*own, *words) if not word.startswith("-") and Path(word).is_file())
    if not found:
        raise CallWrong(
            "the command names no file, so it cannot be said which code it runs",
            facts={"command": shown_command(command)},
            fix="name the old code's file or folder with --code",
        )
    return found


def shown_command(command: Sequence[str]) -> str:
    """The command on one line; the program by its name, wherever it lies on this machine."""
    program, *words = command
    return shlex.join([Path(program).name if Path(program).is_absolute() else program, *words])


def digest_of(code: Collection[Path]) -> str:
    """SHA-256 over files and folders of code, by their paths inside what was named. Raises CallWrong: no such file."""
    digest = hashlib.sha256()
    for named in code:
        files = list(_files(named))
        if not files:
            raise CallWrong(f"there is no code at {named}", fix="name the old code's file or folder with --code")
        for file in files:
            content = file.read_bytes()
            inside = file.relative_to(named).as_posix() if named.is_dir() else file.name
            digest.update(f"{inside}\0{len(content)}\0".encode())
            digest.update(content)
    return f"sha256:{digest.hexdigest()}"


def _files(named: Path) -> Iterator[Path]:
    if named.is_file():
        yield named
    for file in sorted(named.rglob("*")):
        if file.is_file() and _NOT_CODE.isdisjoint(file.relative_to(named).parts):
            yield file


def commit_of(code: Collection[Path]) -> str | None:
    """The commit that is checked out where the code lies, and whether the code differs from it; None without git."""
    named = [path.resolve() for path in code]
    home = named[0] if named[0].is_dir() else named[0].parent
    commit = _git(home, "rev-parse", "--verify", "HEAD")
    if commit is None:
        return None
    changed = _git(home, "status", "--porcelain", "--", *map(str, named))
    return f"{commit} (dirty)" if changed != "" else commit


def _git(home: Path, *words: str) -> str | None:
    try:
        done = subprocess.run(["git", "-C", str(home), *words], capture_output=True, check=False)  # noqa: S603, S607 git as the caller has it; the words are ours and paths
    except OSError:
        return None
    return done.stdout.decode("utf-8", "replace").strip() if done.returncode == 0 else None
