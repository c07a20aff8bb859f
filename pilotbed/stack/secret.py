"""Secrets in files that only their owner reads."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path


def read_or_make_secret(path: Path, make: Callable[[], str]) -> str:
    """The secret in ``path``; made and kept there (0600) if there is none."""
    try:
        text = path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        text = ""
    if text:
        return text
    write_private(path, (secret := make()) + "\n")
    return secret


def write_private(path: Path, text: str, *, owner: tuple[int, int] | None = None) -> None:
    """Write a file that only its owner reads (0600), whole or not at all.

    :param owner: user and group to give it to; None: ourselves.
    """
    unfinished = path.with_name(f"{path.name}.{os.getpid()}")
    unfinished.unlink(missing_ok=True)
    handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            if owner is not None:
                os.fchown(file.fileno(), *owner)
            os.fsync(file.fileno())
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
