"""Files that others read: whole or not there."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from core.errors import EnvironmentProblem


def write_whole(path: Path, content: bytes) -> None:
    """Write a file whole or not at all: who opens it never sees half of it.

    :raises EnvironmentProblem: it cannot be written there.
    """
    try:
        handle, name = tempfile.mkstemp(dir=path.absolute().parent, prefix=f".{path.name}.")
        temporary = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            temporary.chmod(0o644 & ~_umask())
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise EnvironmentProblem(
            f"{path} cannot be written ({error.strerror}): make room or name another file."
        ) from error


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
