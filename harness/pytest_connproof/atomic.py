"""Write a file whole, or not at all: Ctrl-C, a full disk or a crash leaves the old file or none."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from tempfile import NamedTemporaryFile

__all__ = ["write_whole"]


def write_whole(path: Path, text: str) -> None:
    """Replace the file's content in one step; its folder is made where it is missing. Raises OSError with its name.

    A file that nobody may write is left as it is, though its folder would let it be replaced.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and not path.stat().st_mode & 0o222:
        raise PermissionError(errno.EACCES, "is read-only", str(path))
    try:
        with NamedTemporaryFile("wb", dir=path.parent, prefix=".", suffix=".partial", delete=False) as file:
            partial = Path(file.name)
            try:
                file.write(text.encode())
                file.flush()
                os.fsync(file.fileno())
                file.close()
                partial.chmod(0o644)  # a temporary file is private to its owner
                partial.replace(path)
            except BaseException:
                partial.unlink(missing_ok=True)
                raise
    except OSError as fault:
        # Nobody knows the temporary file that the fault may name.
        raise OSError(fault.errno, fault.strerror, str(path)) from fault
