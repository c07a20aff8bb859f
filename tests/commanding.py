"""Command lines run in this process, under settings of a test's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from core.settings import settings
from pilotbed.cli import run

Command = Callable[..., tuple[int, str, str]]
"""Runs a command line; gives its exit code, its stdout and its stderr."""


@contextmanager
def command_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], **environment: str
) -> Iterator[Command]:
    """A command line in an environment.

    :param environment: variables beyond those that are there.
    """
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()

    def command(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        code = run([str(argument) for argument in arguments])
        seen = capsys.readouterr()
        return code, seen.out, seen.err

    try:
        yield command
    finally:
        settings.cache_clear()
