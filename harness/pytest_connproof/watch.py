"""Watch what leaves a run besides its result: files written, log records, what is printed, warnings.

A watch looks at everything that the process does while it is open, so nothing else may run beside it.
"""

from __future__ import annotations

import io
import logging
import os
import sys
import warnings
from contextlib import ExitStack, redirect_stderr, redirect_stdout
from functools import cache
from pathlib import Path
from typing import Any, Final, Self

__all__ = ["Watch"]

_WRITING: Final = frozenset("wax+")
_MOST_READ: Final = 64 * 1024 * 1024


class _Hook:
    """The process's audit hook (PEP 578). Python can never take one out again, so there is one, idle unless watched."""

    def __init__(self) -> None:
        self.paths: list[str] | None = None
        sys.addaudithook(self._heard)

    def _heard(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.paths is None:
            return
        if event == "open" and _is_written(arguments[1], arguments[2]):
            self.paths.append(str(arguments[0]))
        elif event == "os.rename":
            self.paths.append(str(arguments[1]))
        elif event == "sqlite3.connect":
            self.paths.append(str(arguments[0]))


def _is_written(mode: object, flags: object) -> bool:
    """Whether a file was opened to be written to: `os.open` has flags alone."""
    if isinstance(mode, str):
        return bool(_WRITING & set(mode))
    return isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR))


@cache
def _hook() -> _Hook:
    return _Hook()


class _Kept(logging.Handler):
    def __init__(self) -> None:
        super().__init__(level=logging.NOTSET)
        self.texts: list[tuple[str, str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        # What stands in a record besides its message would be shown by other handlers.
        self.texts.append((record.name, f"{self.format(record)} {record.args!r} {vars(record)!r}"))


class Watch:
    """A context manager; ask it what it found when it is closed."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._printed = io.StringIO()
        self._log = _Kept()
        self._warned: list[warnings.WarningMessage] = []
        self._written: tuple[str, ...] = ()

    def __enter__(self) -> Self:
        hook, root = _hook(), logging.getLogger()
        level = root.level
        self._stack.callback(root.setLevel, level)
        root.setLevel(logging.NOTSET)
        root.addHandler(self._log)
        self._stack.callback(root.removeHandler, self._log)
        self._stack.enter_context(redirect_stdout(self._printed))
        self._stack.enter_context(redirect_stderr(self._printed))
        warned = self._stack.enter_context(warnings.catch_warnings(record=True))
        assert warned is not None, "they are recorded"
        self._warned = warned
        warnings.simplefilter("always")
        hook.paths = []
        return self

    def __exit__(self, *exc: object) -> None:
        hook = _hook()
        self._written = tuple(dict.fromkeys(hook.paths or ()))
        hook.paths = None
        self._stack.close()

    def found(self, text: str) -> list[str]:
        """Every place where the text stands: `file <name>`, `log <logger>`, `printed`, `warning`."""
        places = [f"file {Path(path).name}" for path in self._written if _holds(path, text)]
        places += [f"log {name}" for name, said in self._log.texts if text in said]
        places += ["printed"] if text in self._printed.getvalue() else []
        places += ["warning" for warned in self._warned if text in str(warned.message)]
        return list(dict.fromkeys(places))


def _holds(path: str, text: str) -> bool:
    try:
        with open(path, "rb") as file:  # noqa: PTH123 what was opened may be no name of a path's own
            return text.encode() in file.read(_MOST_READ)
    except OSError:  # it is gone: what it was renamed to is looked at by itself
        return False
