"""Verifying a bundle without a database: its bytes, its seals, its leaves, and every number judged again from its data.

What it reads may have been made to deceive: nothing of it is believed before it agrees with what stands above it (the archive's
form, the manifest, the signed records, the leaves), and nothing declared makes it hold more at once than a bundle has.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pyarrow as pa

from core.errors import EnvironmentProblem, PilotbedError
from kpi.bundle.again import Again
from kpi.bundle.sealed import Heard, Sealed
from kpi.bundle.told import Verified
from telemetry.evidence.chain import key_file

_HOSTILE: Final = (
    ValueError, KeyError, TypeError, IndexError, AttributeError, ArithmeticError, RecursionError, MemoryError,
    AssertionError, NotImplementedError, pa.ArrowException,
)  # fmt: skip
"""What reading of something that only looks like a bundle may end in."""


def _quiet(_step: str, _done: int, _total: int) -> None:
    pass


def verify(path: Path, *, keys: Path | None = None, ca: Path | None = None, heard: Heard = _quiet) -> Verified:
    """Check everything that can be checked of a bundle.

    :param keys: a file with the key, or keys, that the reader has from elsewhere.
    :param ca: the certificate of the time-stamping authority's root.
    :raises EnvironmentProblem: the file, or that of the keys, cannot be read at all.
    """
    found = Verified(path=str(path))
    roots = [] if keys is None else key_file(keys)
    try:
        sealed = Sealed(found, path, roots, ca, heard)
        if sealed.check():
            Again(sealed, heard).check()
    except EnvironmentProblem:
        raise
    except PilotbedError as problem:
        found.differs("archive", f"증빙자료가 아니거나 바뀜: {problem}", str(problem))
    except _HOSTILE as problem:
        what = f"{type(problem).__name__}: {str(problem)[:200]}"
        found.differs("archive", f"파일을 읽을 수 없습니다: {what}", f"It cannot be read any further: {what}")
    return found
