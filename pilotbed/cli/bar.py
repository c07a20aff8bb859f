"""A progress bar on stderr, where that is a terminal and the work takes a while."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

_SHOWN_AFTER_S: Final = 2.0


@contextmanager
def progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """
    :returns: what is to be told how much is done, and of how much (0: not known).
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed:,.0f}"), TimeElapsedColumn(),
        TimeRemainingColumn(),
    )  # fmt: skip
    bar = Progress(*columns, console=Console(stderr=True), transient=True)
    task = bar.add_task(what, total=None)
    watched, begun = sys.stderr.isatty(), time.monotonic()

    def tell(done: int, total: int) -> None:
        if not watched or time.monotonic() - begun < _SHOWN_AFTER_S:
            return
        bar.start()
        bar.update(task, completed=done, total=total or None)

    try:
        yield tell
    finally:
        if bar.live.is_started:
            bar.stop()
